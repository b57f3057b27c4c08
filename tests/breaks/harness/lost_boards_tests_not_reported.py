"""Break: tests that their board did not come back for are in no report."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin.unrun import UnrunReports
from tests.breaks.support.patching import replaces

TITLE = "tests that their board did not come back for are in no report"
NOTICED_BY = ("tests/hotplug/test_six_boards.py::test_every_test_ran_once_or_is_reported[0]",)
ABOUT = r"Counter\(name for name"


@replaces(UnrunReports, "fail")
def fail(self: UnrunReports, test: str, reason: str, verdict: Any, boards: Any = ()) -> None:
    """Keep it to ourselves."""
