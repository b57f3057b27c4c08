"""Break: a report that cannot be read is answered as if all were well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import device_desk
from harness_nordic.fake.refusals import BadRequest
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.wire import DeviceReport

TITLE = "a report that cannot be read is answered as if all were well"
EXPECTED = ("test_service_faults.py::test_damaged_report*",)
ABOUT = r"finished"

before = existing(device_desk, "decode_reports")


@replaces(device_desk, "decode_reports")
def decode_reports(body: bytes) -> list[DeviceReport]:
    """Read nothing out of what cannot be read."""
    try:
        reports: list[DeviceReport] = before(body)
    except BadRequest:
        return []
    return reports
