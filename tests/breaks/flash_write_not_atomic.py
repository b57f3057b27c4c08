"""Break: a write to flash erases the old content before the new one is safe."""

from __future__ import annotations

from harness_nordic.virtual.credentials import CredentialStore, Entry
from tests.breaks.support.patching import existing, replaces

TITLE = "a write to flash erases the old content first"
EXPECTED = ("test_board_answers.py::test_power_cut_in_a_write",)
ABOUT = r"held"

before = existing(CredentialStore, "_commit")


@replaces(CredentialStore, "_commit")
def _commit(self: CredentialStore, slot: tuple[int, int], entry: Entry | None) -> None:
    """Erase, then write."""
    if entry is not None:
        self._entries.pop(slot, None)
    before(self, slot, entry)
