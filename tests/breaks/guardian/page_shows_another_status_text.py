"""Break: the Devices page shows a status in other words than the seed's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Status
from harness_guardian.fake.pages import device_rows
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.enums import ErrorCode
    from harness_guardian.fake.choices import Choices

TITLE = "the Devices page shows a status in other words than the seed's"
NOTICED_BY = ("tests/guardian/fake/test_pages_devices.py::test_toggle_shows_all_statuses_passed",)
ABOUT = r"Needs approval"

_shown = existing(device_rows, "shown_status")


@replaces(device_rows, "shown_status")
def shown_status(status: Status, error_code: ErrorCode | None, choices: Choices) -> str:
    """Call what needs approval pending."""
    return "Pending" if status is Status.NEEDS_APPROVAL else _shown(status, error_code, choices)
