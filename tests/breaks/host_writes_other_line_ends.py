"""Break: the host changes the line ends of what it writes to the board."""

from __future__ import annotations

from harness_nordic.host_agent.wire import AtCommand
from tests.breaks.support.patching import replaces

TITLE = "the host's agent changes line ends"
EXPECTED = ("test_agents.py::test_every_type_of_command[host]", "test_agents.py::test_blocked_device[host]")
ABOUT = r"pem_digest|held"


@replaces(AtCommand, "line")
def line(self: AtCommand) -> str:
    """Write CR LF for LF."""
    return f"AT{self.set_command}={self.parameters}".replace("\n", "\r\n")
