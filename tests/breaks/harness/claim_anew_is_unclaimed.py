"""Break: a device that somebody claimed anew is unclaimed for what the ledger says of an old claim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.client_claims import Claims
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.backends.ledger import Entry

TITLE = "a device that somebody claimed anew is unclaimed for what the ledger says of an old claim"
NOTICED_BY = ("tests/nordic/claims/test_undone.py::test_claim_anew_is_left_alone",)
ABOUT = r"said"

before = existing(Claims, "undo_entry")


@replaces(Claims, "undo_entry")
def undo_entry(self: Claims, entry: Entry) -> str:
    """Believe that whatever is claimed now was claimed then."""
    now = self.claimed_at(entry.subject)
    details = dict(entry.details) if now is None else {**entry.details, "claimedAt": now}
    said: str = before(self, replace(entry, details=details))
    return said
