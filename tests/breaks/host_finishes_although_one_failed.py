"""Break: the host acknowledges finished although a command failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent import agent, batch
from harness_nordic.host_agent.wire import Command, FinishedCommand, Report
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from harness_nordic.host_agent.batch import Executed, Modem
    from harness_nordic.host_agent.options import HostAgentOptions

TITLE = "the host's agent reports finished though one failed"
EXPECTED = ("test_agents.py::test_failing_command_stops_the_batch[host]",)
ABOUT = r"finished"

before = existing(batch, "execute")


@replaces(agent, "execute")
def execute(
    commands: Sequence[Command], modem: Modem, settings: MutableMapping[str, str], options: HostAgentOptions
) -> Executed:
    """Acknowledge finished whatever happened."""
    done: Executed = before(commands, modem, settings, options)
    asked = next((each for each in commands if isinstance(each, FinishedCommand)), None)
    if asked is not None and not done.finished:
        done.reports.append(Report(id=asked.id, type=DeviceReportType.FINISHED))
        done.finished = True
    return done
