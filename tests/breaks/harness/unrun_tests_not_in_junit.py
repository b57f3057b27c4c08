"""Break: JUnit's document knows nothing of tests that did not run."""

from __future__ import annotations

from harness.pytest_plugin.report_junit import JunitBook
from tests.breaks.support.patching import replaces

TITLE = "JUnit's document knows nothing of tests that did not run"
NOTICED_BY = ("tests/pytest_plugin/test_accounts.py::test_the_end_in_the_middle",)
ABOUT = r"test_never_begun"


@replaces(JunitBook, "add_test_not_run")
def add_test_not_run(self: JunitBook, nodeid: str, reason: str) -> None:
    """Leave it out."""
