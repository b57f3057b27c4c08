"""Break: what a session came to is kept when it ends, and a session that is killed leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.store import History, SessionHistory
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.history.attempts import Attempt

TITLE = "what a session came to is kept when it ends, and a session that is killed leaves nothing"
NOTICED_BY = ("tests/history/test_store.py::test_survives_death_at_once",)
ABOUT = r"each\.attempt for each in history\.attempts\(\)"


write = existing(SessionHistory, "record")
close_file = existing(History, "close")
kept: list[tuple[SessionHistory, Attempt]] = []


@replaces(SessionHistory, "record")
def record(self: SessionHistory, attempt: Attempt) -> None:
    """Keep it in memory."""
    kept.append((self, attempt))


@replaces(History, "close")
def close(self: History) -> None:
    """Write everything at once."""
    while kept:
        write(*kept.pop(0))
    close_file(self)
