"""Break: the credential store is lost with the power."""

from __future__ import annotations

from harness_nordic.virtual.board import Nrf91Board
from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import existing, replaces

TITLE = "the credential store is lost with the power"
EXPECTED = (
    "test_credential_store.py::test_credentials_survive_a_power_cycle",
    "test_credential_store.py::test_generated_key_survives_a_power_cycle",
)
ABOUT = r"held"

before = existing(Nrf91Board, "power_off")


@replaces(Nrf91Board, "power_off")
def power_off(self: Nrf91Board) -> None:
    """Lose the credentials too."""
    before(self)
    self.store._entries = CredentialStore(self.identity)._entries
