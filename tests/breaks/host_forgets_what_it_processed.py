"""Break: the host does not say that it is past what it could not report, so all of it is done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.host_agent.agent import HostAgent
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.host_agent.wire import Report

TITLE = "the host's agent executes twice after a lost report"
EXPECTED = ("test_agents_in_trouble.py::test_report_is_lost[host]",)
ABOUT = r"IN_PROGRESS|held"

before = existing(HostAgent, "_report")


@replaces(HostAgent, "_report")
def report(self: HostAgent, reports: list[Report]) -> bool:
    """Do not advance without an answer."""
    earlier = self.after
    taken: bool = before(self, reports)
    if not taken:
        self.after = earlier
    return taken
