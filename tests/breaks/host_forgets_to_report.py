"""Break: the agent on the host counts commands as processed before it has reported them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.host_agent.agent import HostAgent
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.host_agent.wire import Command, Report

TITLE = "the host's after is ahead of its reports"
EXPECTED = (
    "test_power_cuts.py::test_before_each_at_command_of_the_host[1]",
    "test_power_cuts.py::test_after_each_at_command_of_the_host[1]",
)
ABOUT = r"still something open"

before = existing(HostAgent, "_process")


@replaces(HostAgent, "_process")
def _process(self: HostAgent, commands: list[Command]) -> tuple[list[Report], bool]:
    """Be done with what was executed."""
    processed: tuple[list[Report], bool] = before(self, commands)
    self.after = commands[-1].id
    return processed
