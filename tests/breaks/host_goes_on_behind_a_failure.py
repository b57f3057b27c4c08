"""Break: the host executes what stands behind a failing command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent import agent, batch
from harness_nordic.host_agent.wire import AtCommand, Command
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from harness_nordic.host_agent.batch import Executed, Modem
    from harness_nordic.host_agent.options import HostAgentOptions

TITLE = "the host's agent executes behind the failing command"
EXPECTED = ("test_agents.py::test_failing_command_stops_the_batch[host]",)
ABOUT = r"held"

before = existing(batch, "execute")


@replaces(agent, "execute")
def execute(
    commands: Sequence[Command], modem: Modem, settings: MutableMapping[str, str], options: HostAgentOptions
) -> Executed:
    """Report as documented, then do the rest all the same."""
    done: Executed = before(commands, modem, settings, options)
    if done.reports and done.reports[-1].type is DeviceReportType.FAILED:
        behind = [each.id for each in commands].index(done.last) + 1
        for command in commands[behind:]:
            if isinstance(command, AtCommand):
                modem.answer(command.line, options.at_timeout)
    return done
