"""Break: the host reports a command as done to which the board never answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import ConsoleTimeout
from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent import batch
from harness_nordic.host_agent.wire import AtCommand, Report
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.host_agent.batch import Modem
    from harness_nordic.host_agent.options import HostAgentOptions

TITLE = "the host's agent takes a silent board for one that has done it"
EXPECTED = ("test_agents_in_trouble.py::test_board_falls_silent",)
ABOUT = r"DID NOT RAISE|ConsoleTimeout"

before = existing(batch, "_run")


@replaces(batch, "_run")
def run(command: AtCommand, modem: Modem, options: HostAgentOptions) -> Report:
    """Take no answer for OK."""
    try:
        report: Report = before(command, modem, options)
    except ConsoleTimeout:
        report = Report(id=command.id, type=DeviceReportType.AT_DONE, message="OK\r\n")
    return report
