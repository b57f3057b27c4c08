"""Break: a failure whose second try is cut off is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.report_session import SessionReports
from tests.breaks.support.patching import replaces

TITLE = "a failure whose second try is cut off is no failure"
NOTICED_BY = ("tests/pytest_plugin/test_accounts.py::test_the_end_in_the_middle",)
ABOUT = r"lines_with\(accounts\)"


if TYPE_CHECKING:
    import pytest


@replaces(SessionReports, "_let_count")
def let_count(self: SessionReports, report: pytest.TestReport) -> None:
    """Forget it."""
