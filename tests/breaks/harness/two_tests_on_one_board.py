"""Break: a board that a test of several boards uses is given another test."""

from __future__ import annotations

from typing import Any

from harness.scheduling.serving import Serving
from tests.breaks.support.patching import existing, replaces

TITLE = "a board that a test of several boards uses is given another test"
NOTICED_BY = ("tests/scheduling/test_several_boards.py::test_a_board_without_a_worker_is_free",)
ABOUT = r"give_orders\(\) == \{\}"

_advance = existing(Serving, "_advance")


@replaces(Serving, "_advance")
def advance(self: Serving[Any], hand: Any, gathering: Any) -> None:
    """Let others go on when it has begun."""
    single = self._choice.single(hand.place) if gathering.begun and hand is not gathering.runner else None
    if single is None:
        _advance(self, hand, gathering)
    else:
        self._give(hand, single)
