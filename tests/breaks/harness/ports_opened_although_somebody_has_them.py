"""Break: nobody looks whether another process still has the ports of a board open."""

from __future__ import annotations

from harness.pytest_plugin.lending import Lending
from tests.breaks.support.patching import replaces

TITLE = "nobody looks whether another process still has the ports of a board open"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_nobody_laid_it_down",)
ABOUT = r"workers\.log"


@replaces(Lending, "_get_hold")
def _get_hold(self: Lending, board_id: str, *, seconds: float) -> bool:
    """Take nothing, and believe to have it."""
    return True
