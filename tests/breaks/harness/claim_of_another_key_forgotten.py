"""Break: a claim that another key made is struck out as if it were gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.client_claims import Claims
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.backends.ledger import Entry

TITLE = "a claim that another key made is struck out as if it were gone"
NOTICED_BY = ("tests/nordic/claims/test_undone.py::test_entries_that_are_not_ours_to_undo",)
ABOUT = r"DID NOT RAISE"

before = existing(Claims, "undo_entry")


@replaces(Claims, "undo_entry")
def undo_entry(self: Claims, entry: Entry) -> str:
    """Say of what we cannot see that it is not there."""
    if entry.details.get("key") != self.whose:
        return "gone already"
    said: str = before(self, entry)
    return said
