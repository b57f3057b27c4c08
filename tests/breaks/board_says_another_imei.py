"""Break: the board says another IMEI than its factory registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.modem import Modem
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.at_syntax import AtCommand

TITLE = "the board says another IMEI than its factory registered"
EXPECTED = ("test_claiming.py::test_claimed_device_is_the_board",)
ABOUT = r"imei"

before = existing(Modem, "_serial_number")


@replaces(Modem, "_serial_number")
def _serial_number(self: Modem, command: AtCommand) -> list[str]:
    """Say a wrong one."""
    lines: list[str] = before(self, command)
    return [line.replace(self.identity.imei, "350000000000006") for line in lines]
