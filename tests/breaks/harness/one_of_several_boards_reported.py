"""Break: of several boards the reports show one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import report_tests, state
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

    from harness.inventory.leased_board import LeasedBoard

TITLE = "of several boards the reports show one"
NOTICED_BY = (
    "tests/pytest_plugin/test_several_boards.py::test_a_failure_names_every_board",
    "tests/pytest_plugin/test_several_boards.py::test_allure_has_console_and_evidence_of_every_board",
)
ABOUT = r"toy-a-0|ids"


@replaces(report_tests, "boards_used")
def boards_used(item: pytest.Item) -> tuple[LeasedBoard, ...]:
    """Return the first."""
    return state.boards_used(item)[:1]
