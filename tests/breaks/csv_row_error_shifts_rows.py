"""Break: rows behind one that fails are numbered as if it were not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.fake import management
from harness_nordic.fake.bulk_claims import FailedRow
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.bulk_claims import Row
    from harness_nordic.fake.records import ClaimedDevice, Member
    from harness_nordic.fake.service import ProvisioningService

TITLE = "a CSV row that fails shifts the rows behind it"
EXPECTED = (
    "test_bulk_claiming.py::test_failed_rows_are_told_by_number",
    "test_bulk_claiming.py::test_row_with_an_open_quote_shifts_no_other",
)
ABOUT = r"== \["

before = existing(management, "claim_rows")


@replaces(management, "claim_rows")
def claim_rows(
    service: ProvisioningService, member: Member, rows: list[Row]
) -> tuple[list[ClaimedDevice], list[FailedRow]]:
    """Count the failed rows out while counting."""
    claimed, failed = before(service, member, rows)
    shifted = [
        FailedRow(row=replace(each.row, number=each.row.number - gone), message=each.message)
        for gone, each in enumerate(failed)
    ]
    return claimed, shifted
