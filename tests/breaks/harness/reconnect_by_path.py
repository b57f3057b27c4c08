"""Break: a console goes on with what has the name of its tty."""

from __future__ import annotations

from typing import Any

from harness.inventory.finding import Finder, Sighting
from tests.breaks.support.patching import existing, replaces

TITLE = "a console goes on with what has the name of its tty"
NOTICED_BY = ("tests/virtual/usb/test_strangers.py::test_session_leaves_strangers_alone",)
ABOUT = r"what_strangers_heard"


before = existing(Finder, "look")


@replaces(Finder, "look")
def look(
    self: Finder, board: Any, role: str, *, held: Any = (), returning: bool = False, doubted: bool = False
) -> Any:
    """Look where it was."""
    if board.bench is not None:
        return before(self, board, role, held=held, returning=returning, doubted=doubted)
    return Sighting(board=board, endpoint=board.endpoints[role])
