"""Break: the summary of an onboarding counts its rows from 1."""

from __future__ import annotations

from harness_nordic.fake.core_devices import BulkOperation
from tests.breaks.support.patching import replaces

TITLE = "the errors of an onboarding are numbered from 1"
EXPECTED = (
    "test_core_devices.py::test_row_that_is_refused",
    "test_core_devices.py::test_rows_that_are_refused_among_others",
    "test_core_devices.py::test_bulk_operation_as_clients_read_it",
)
ABOUT = r"== \["


@replaces(BulkOperation, "summary")
def summary(self: BulkOperation) -> dict[str, list[str]]:
    """Count as the rows of a bulk claim are counted."""
    return {"errors": [f"[{row + 1}]: {text}" for row, text in sorted(self.errors.items())]}
