"""Break: the host reports AT commands as done without sending them to the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent import batch
from harness_nordic.host_agent.wire import AtCommand, Report
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.host_agent.batch import Modem
    from harness_nordic.host_agent.options import HostAgentOptions

TITLE = "the host's agent reports writes that it never does"
EXPECTED = (
    "test_agents.py::test_every_type_of_command[host]",
    "test_agents.py::test_blocked_device[host]",
    "test_agents_in_trouble.py::test_tls[host]",
    "test_agents_in_trouble.py::test_plain_at_firmware",
)
ABOUT = r"held|pem_digest"

before = existing(batch, "_run")


@replaces(batch, "_run")
def run(command: AtCommand, modem: Modem, options: HostAgentOptions) -> Report:
    """Say OK to a write."""
    if command.parameters.startswith("0,"):
        return Report(id=command.id, type=DeviceReportType.AT_DONE, message="OK\r\n")
    report: Report = before(command, modem, options)
    return report
