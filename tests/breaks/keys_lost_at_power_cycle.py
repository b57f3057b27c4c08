"""Break: generated keys are lost with the power."""

from __future__ import annotations

from harness_nordic.virtual.board import Nrf91Board
from tests.breaks.support.patching import existing, replaces

TITLE = "generated keys are lost with the power"
EXPECTED = ("test_credential_store.py::test_generated_key_survives_a_power_cycle",)
ABOUT = r"held"

before = existing(Nrf91Board, "power_off")


@replaces(Nrf91Board, "power_off")
def power_off(self: Nrf91Board) -> None:
    """Lose what was made in the modem."""
    before(self)
    entries = self.store._entries
    self.store._entries = {slot: entry for slot, entry in entries.items() if not entry.generated}
