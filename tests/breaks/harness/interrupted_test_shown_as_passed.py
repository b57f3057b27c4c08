"""Break: Allure shows a test as passed that was interrupted, since its set-up was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.report_allure import AllureReport
from tests.breaks.support.patching import replaces

TITLE = "Allure shows a test as passed that was interrupted, since its set-up was"
NOTICED_BY = ("tests/pytest_plugin/test_accounts.py::test_the_end_in_the_middle",)
ABOUT = r"each\[.name.\], each\[.status.\]"


if TYPE_CHECKING:
    import pytest


@replaces(AllureReport, "forget")
def forget(self: AllureReport, item: pytest.Item) -> None:
    """Let Allure's plugin write what it knows."""
