"""The two-transistor circuit by which DTR and RTS reset a board into its boot loader; pure.

RTS alone pulls the reset line, DTR alone pulls the boot pin, both together pull neither: so a terminal that
raises both does no harm. As on Espressif's development kits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class _Release(Protocol):
    def __call__(self, *, boot_pin_low: bool) -> None: ...


class AutoReset:
    """Watches two modem lines and drives a reset line with them."""

    def __init__(self, hold: Callable[[], None], release: _Release) -> None:
        """Start with both lines low, which pulls nothing.

        :param hold: called when the reset line is pulled.
        :param release: called when it is let go, with the state of the boot pin then.
        """
        self._hold = hold
        self._release = release
        self._held = False

    def lines_changed(self, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        """DTR or RTS has changed."""
        held = rts and not dtr
        if held and not self._held:
            self._hold()
        elif self._held and not held:
            # The capacitor on the reset line lets it rise after the boot pin has settled.
            self._release(boot_pin_low=dtr and not rts)
        self._held = held
