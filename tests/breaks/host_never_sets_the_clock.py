"""Break: the host leaves a modem without time as it is."""

from __future__ import annotations

from harness_nordic.host_agent.agent import HostAgent
from tests.breaks.support.patching import replaces

TITLE = "the host's agent never sets the clock"
EXPECTED = ("test_agents_in_trouble.py::test_host_gives_the_time",)
ABOUT = r"finished"


@replaces(HostAgent, "_give_time")
def give_time(self: HostAgent) -> None:
    """Let the modem be without time."""
