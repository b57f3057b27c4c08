"""Power and flash: the contracts, one method wide each.

The virtual bench's power switch is :class:`harness.virtual.client.VirtualBoardControls`; a vendor gives
others by ``harness_make_power_switch`` and ``harness_make_flasher``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class PowerSwitch(Protocol):
    """Switches a board's power."""

    def set_power(self, *, on: bool) -> None:
        """Switch; returns when the supply has changed.

        :raises RigFault: the switch does not obey.
        """


class Flasher(Protocol):
    """Writes firmware to a board."""

    def flash(self, image: Path) -> None:
        """Write and verify one image.

        :raises RigFault: the probe or the write failed.
        """


__all__ = ["Flasher", "PowerSwitch"]
