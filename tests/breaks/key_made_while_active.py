"""Break: a key can be made while the modem is active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.modem import Modem
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.at_syntax import AtCommand

TITLE = "a key can be made while the modem is active"
EXPECTED = ("test_credential_store.py::test_no_write_while_the_modem_is_active",)
ABOUT = r"CommandRefused"

before = existing(Modem, "_generate_key")


@replaces(Modem, "_generate_key")
def _generate_key(self: Modem, command: AtCommand) -> list[str]:
    """Take the modem for inactive meanwhile."""
    radio = self.radio
    lte, gnss = radio._lte, radio._gnss
    radio._lte = radio._gnss = False
    try:
        lines: list[str] = before(self, command)
    finally:
        radio._lte, radio._gnss = lte, gnss
    return lines
