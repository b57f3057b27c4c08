"""Break: a board that was borrowed stays open when it is given back."""

from __future__ import annotations

from harness.pytest_plugin.lending import Lending
from tests.breaks.support.patching import replaces

TITLE = "a board that was borrowed stays open when it is given back"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_a_board_that_is_lent",)
ABOUT = r"open_consoles"


@replaces(Lending, "give_back")
def give_back(self: Lending) -> None:
    """Forget what was borrowed, and close nothing."""
    for board_id in list(self._borrowed):
        self._give_back(board_id)
    self._until_given_back.pop_all()
