"""Break: what a board answered is taken for the answer of the next one in its place."""

from __future__ import annotations

from typing import Any

from harness.inventory.presence import Presence
from tests.breaks.support.patching import replaces

TITLE = "what a board answered is taken for the answer of the next one in its place"
NOTICED_BY = ("tests/inventory/test_presence.py::test_answer_of_a_board_that_went",)
ABOUT = r"open_questions"


@replaces(Presence, "_withdraw")
def withdraw(self: Presence, device: Any) -> None:
    """Wait for the answer all the same."""
