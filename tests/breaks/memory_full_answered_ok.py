"""Break: a write for which there is no room is answered OK."""

from __future__ import annotations

from contextlib import suppress

from harness_nordic.virtual.credentials import CredentialStore, Entry
from harness_nordic.virtual.errors import CmeRefusal
from tests.breaks.support.patching import existing, replaces

TITLE = "a write without room is answered OK"
EXPECTED = (
    "test_board_faults.py::test_full_memory",
    "test_board_faults.py::test_no_room_for_a_key",
    "test_board_answers.py::test_no_room",
)
ABOUT = r"FAILED|DID NOT RAISE"

before = existing(CredentialStore, "_put")


@replaces(CredentialStore, "_put")
def _put(self: CredentialStore, entry: Entry) -> None:
    """Say nothing of what was not kept."""
    with suppress(CmeRefusal):
        before(self, entry)
