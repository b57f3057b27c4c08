"""Break: a row that claims nothing defines its tags all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake import bulk_claims, management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.bulk_claims import Row
    from harness_nordic.fake.records import Member
    from harness_nordic.fake.service import ProvisioningService

TITLE = "a row that claims nothing defines its tags all the same"
EXPECTED = ("test_bulk_claiming.py::test_row_that_fails_defines_no_tag",)
ABOUT = r"tags"

before = existing(bulk_claims, "claim_rows")


@replaces(management, "claim_rows")
def claim_rows(service: ProvisioningService, member: Member, rows: list[Row]) -> Any:
    """Define what all rows name before any of them is looked at."""
    for row in rows:
        service.tags_of(member).ids_of(row.tags, define=True)
    return before(service, member, rows)
