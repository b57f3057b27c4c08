"""Break: a test of several boards that failed by the rig is tried again on the very board that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import retry
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.pytest_plugin.report_records import TestFacts

TITLE = "a test of several boards that failed by the rig is tried again on the very board that failed"
NOTICED_BY = ("tests/pytest_plugin/test_retry.py::test_of_several_boards_the_faulty_one_is_avoided",)
ABOUT = r"avoided"


@replaces(retry, "_board_to_avoid")
def _board_to_avoid(facts: TestFacts) -> str:
    """Avoid the first, whichever failed."""
    return facts.boards[0].id
