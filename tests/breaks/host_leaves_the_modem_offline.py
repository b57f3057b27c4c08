"""Break: the host takes the modem offline and leaves it so."""

from __future__ import annotations

from harness_nordic.host_agent.agent import HostAgent
from tests.breaks.support.patching import replaces

TITLE = "the host's agent leaves the modem offline"
EXPECTED = ("test_agents.py::test_modem_is_put_back[host]",)
ABOUT = r"functional_mode"


@replaces(HostAgent, "_put_back")
def put_back(self: HostAgent) -> None:
    """Leave everything as it is now."""
