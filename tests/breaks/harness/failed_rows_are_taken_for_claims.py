"""Break: a row that claimed nothing counts as a claim of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.client_claims import Claims
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.client_claims import _Claim
    from harness_nordic.client_models import BulkRecord

TITLE = "a row that claimed nothing counts as a claim of ours"
NOTICED_BY = ("tests/nordic/client/test_several.py::test_refused_rows_leave_what_was_ours_before",)
ABOUT = r"kept|devices"


@replaces(Claims, "_finish_rows")
def _finish_rows(self: Claims, claims: list[_Claim], record: BulkRecord) -> None:
    """Take a row that was sent for one that was taken."""
    for claim in claims:
        claim.made = True
        self._accounts.amend(claim.number, state="made")
