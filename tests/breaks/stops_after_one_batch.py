"""Break: the board fetches once and never comes back for the rest."""

from __future__ import annotations

from harness_nordic.virtual.session import Session
from tests.breaks.support.patching import replaces

TITLE = "the board fetches once and never comes back for the rest"
EXPECTED = (
    "test_execution.py::test_many_commands_are_split_over_fetches",
    "test_execution.py::test_more_commands_than_the_board_takes_at_once",
)
ABOUT = r"finished"


@replaces(Session, "_rounds")
def _rounds(self: Session) -> str:
    """Take one batch."""
    body = self._fetch()
    if body is None:
        return "NO_COMMANDS"
    responses, finished = self._process(body)
    return "DONE" if self._report(responses) and finished else "NO_COMMANDS"
