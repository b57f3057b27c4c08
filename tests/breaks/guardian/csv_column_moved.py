"""Break: the report has the hardware id before the component instance id."""

from __future__ import annotations

from harness_guardian.enums import Column
from harness_guardian.fake import reports
from tests.breaks.support.patching import sets

TITLE = "the report has the hardware id before the component instance id"
NOTICED_BY = (
    "tests/guardian/fake/test_reports.py::test_no_row",
    "tests/guardian/fake/test_reports.py::test_a_provisioned_device",
    "tests/guardian/fake/test_reports_api.py::test_bytes",
)
ABOUT = r"Device HW ID|HEADER|System name"

_MOVED: list[Column] = [column for column in Column if column not in {Column.ACTIONS, Column.DEVICE_HW_ID}]
_MOVED.insert(_MOVED.index(Column.COMPONENT_INSTANCE_ID), Column.DEVICE_HW_ID)
sets(reports, "REPORT_COLUMNS", tuple(_MOVED))
