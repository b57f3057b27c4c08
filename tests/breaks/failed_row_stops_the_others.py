"""Break: a row that fails ends a bulk claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.bulk_claims import FailedRow, Row
    from harness_nordic.fake.records import ClaimedDevice, Member
    from harness_nordic.fake.service import ProvisioningService

TITLE = "a row that fails ends a bulk claim"
EXPECTED = (
    "test_bulk_claiming.py::test_rows_that_fail",
    "test_bulk_claiming.py::test_thousand_rows",
    "test_bulk_claiming.py::test_failed_rows_are_told_by_number",
)
ABOUT = r"== \[|999"

before = existing(management, "claim_rows")


@replaces(management, "claim_rows")
def claim_rows(
    service: ProvisioningService, member: Member, rows: list[Row]
) -> tuple[list[ClaimedDevice], list[FailedRow]]:
    """Take the rows one by one, and no more of them once one has failed."""
    claimed: list[ClaimedDevice] = []
    for row in rows:
        devices, failed = before(service, member, [row])
        claimed += devices
        if failed:
            return claimed, failed
    return claimed, []
