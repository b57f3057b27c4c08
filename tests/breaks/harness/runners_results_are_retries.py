"""Break: the results of one test on two runners are two attempts at it."""

from __future__ import annotations

from typing import Any

from harness.merging import allure
from tests.breaks.support.patching import replaces

TITLE = "the results of one test on two runners are two attempts at it"
NOTICED_BY = (
    "tests/merging/test_allure.py::test_same_test_on_two_runners_is_two_tests",
    "tests/merging/test_allure.py::test_failure_that_stands_is_not_covered_up",
)
ABOUT = r"\[\"parameters\"\]"


@replaces(allure, "_tell_apart")
def _tell_apart(result: dict[str, Any], name: str, value: str) -> None:
    """Leave them alike."""
