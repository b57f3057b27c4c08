"""The two-transistor circuit by which DTR and RTS reset a board into its boot loader.

RTS alone pulls the reset line, DTR alone pulls the boot pin, both together pull neither: so a terminal that
raises both does no harm. A capacitor lets the reset line rise a little later than it is let go, so that a
client that can only set one line after the other gets to the boot pin in time. As on Espressif's kits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import Timer

RISE_SECONDS = 0.01


class _Release(Protocol):
    def __call__(self, *, boot_pin_low: bool) -> None: ...


class AutoReset:
    """Watches two modem lines and drives a reset line with them."""

    def __init__(
        self,
        hold: Callable[[], None],
        release: _Release,
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        """Start with both lines low, which pulls nothing.

        :param hold: called when the reset line is pulled.
        :param release: called when it has risen again, with the state of the boot pin then.
        :param call_later: calls after some seconds.
        """
        self._hold = hold
        self._release = release
        self._call_later = call_later
        self._boot_pin_low = False
        self._pulled = False
        self._rising: Timer | None = None

    def lines_changed(self, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        """DTR or RTS has changed."""
        self._boot_pin_low = dtr and not rts
        pulled = rts and not dtr
        if pulled and self._rising is not None:
            self._rising.cancel()
            self._rising = None
        elif pulled and not self._pulled:
            self._hold()
        elif self._pulled and not pulled:
            self._rising = self._call_later(RISE_SECONDS, self._risen)
        self._pulled = pulled

    def _risen(self) -> None:
        self._rising = None
        self._release(boot_pin_low=self._boot_pin_low)
