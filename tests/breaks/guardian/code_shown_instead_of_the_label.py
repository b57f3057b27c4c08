"""Break: an error is shown by its code and not by its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import STATUS_TEXTS
from harness_guardian.fake import records, row_view
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.enums import ErrorCode, Status

TITLE = "an error is shown by its code and not by its label"
EXPECTED = (
    "test_reports.py::test_failed_device",
    "test_envelopes.py::test_forged_initial_request[signature-jws]",
    "test_appliance.py::test_the_same_request_at_both",
)
ABOUT = r"Max instances exceeded|Malformed PR signature|Must be provisioned|TEXT|provisioning_status"


@replaces(records, "status_text")
@replaces(row_view, "status_text")
def status_text(status: Status, error_code: ErrorCode | None) -> str:
    """Show what programs read."""
    return error_code.value if error_code is not None else STATUS_TEXTS[status]
