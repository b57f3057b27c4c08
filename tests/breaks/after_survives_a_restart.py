"""Break: the board says after a restart that it processed what it never reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.agent import Agent
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.session import Session

TITLE = "the board's after survives a restart"
EXPECTED = (
    "test_board_faults.py::test_restart_in_mid_batch",
    "test_power_cuts.py::test_before_each_exchange",
)
ABOUT = r"IN_PROGRESS|forgotten"

before = existing(Agent, "stop")


@replaces(Agent, "stop")
def stop(self: Agent) -> None:
    """Keep the id of the last command that was begun."""
    session: Session | None = self._session
    after = self._after if session is None else session.after
    before(self)
    self._after = after
