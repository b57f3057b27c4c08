"""Break: of a test that was retried only the last try is in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.past_attempts import HeardAttempts
from harness.pytest_plugin.report_records import RERUN
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    import pytest

    from harness.history.attempts import Attempt

TITLE = "of a test that was retried only the last try is in the history"
NOTICED_BY = ("tests/pytest_plugin/test_past_attempts.py::test_retried_attempt",)
ABOUT = r"one\.attempt, one\.board, one\.outcome"


before = existing(HeardAttempts, "add")


@replaces(HeardAttempts, "add")
def add(self: HeardAttempts, report: pytest.TestReport) -> Attempt | None:
    """Leave out what was followed by another try."""
    attempt: Attempt | None = before(self, report)
    return None if str(report.outcome) == RERUN else attempt
