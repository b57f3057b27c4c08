"""Break: tests that were collected and came to no outcome are not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.report_records import SessionRecords
from tests.breaks.support.patching import replaces

TITLE = "tests that were collected and came to no outcome are not counted"
NOTICED_BY = ("tests/pytest_plugin/test_report_records.py::test_workers_collect_the_same_tests_once",)
ABOUT = r"records\.not_run == "


if TYPE_CHECKING:
    from collections.abc import Iterable


@replaces(SessionRecords, "collect")
def collect(self: SessionRecords, nodeids: Iterable[str]) -> None:
    """Count those that are reported, and no others."""
