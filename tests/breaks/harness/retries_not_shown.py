"""Break: tries before the last one are in no report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.report_records import TestRecord
from tests.breaks.support.patching import replaces

TITLE = "tries before the last one are in no report"
NOTICED_BY = ("tests/pytest_plugin/test_report_records.py::test_the_last_try_is_the_outcome",)
ABOUT = r"test\.retried"


if TYPE_CHECKING:
    import pytest

before = TestRecord.add


@replaces(TestRecord, "add")
def add(self: TestRecord, report: pytest.TestReport) -> None:
    """Keep the last try only."""
    before(self, report)
    self.retried.clear()
