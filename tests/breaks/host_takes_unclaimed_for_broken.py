"""Break: the host does not tell that a device is nobody's."""

from __future__ import annotations

from harness_nordic.host_agent import agent
from tests.breaks.support.patching import sets

TITLE = "the host's agent takes an unclaimed device for any failure"
EXPECTED = ("test_agents.py::test_unclaimed_device[host]",)
ABOUT = r"FAILED_DEVICE_NOT_CLAIMED"

sets(agent, "_UNAUTHORIZED", 402)
