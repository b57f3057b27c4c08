"""Break: nobody waits for the return of a board."""

from __future__ import annotations

from harness.pytest_plugin.hotplug import Hotplug
from tests.breaks.support.patching import existing, replaces

TITLE = "nobody waits for the return of a board"
NOTICED_BY = ("tests/hotplug/test_six_boards.py::test_every_test_ran_once_or_is_reported[auto]",)
ABOUT = r"dict\(ends\) == expected"


before = existing(Hotplug, "_lose")


@replaces(Hotplug, "_lose")
def lose(self: Hotplug, board_id: str, reason: str) -> None:
    """Give it up where it is lost."""
    before(self, board_id, reason)
    self._give_up(board_id, self._losses[board_id])
