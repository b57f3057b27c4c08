"""Break: the settings are lost with the power."""

from __future__ import annotations

from harness_nordic.virtual.board import Nrf91Board
from tests.breaks.support.patching import existing, replaces

TITLE = "the settings are lost with the power"
EXPECTED = ("test_credential_store.py::test_configuration_survives_a_power_cycle",)
ABOUT = r"settings"

before = existing(Nrf91Board, "power_off")


@replaces(Nrf91Board, "power_off")
def power_off(self: Nrf91Board) -> None:
    """Lose the settings too."""
    before(self)
    self.settings._pairs.clear()
