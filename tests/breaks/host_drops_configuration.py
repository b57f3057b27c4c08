"""Break: the host acknowledges configuration and forgets it."""

from __future__ import annotations

from harness_nordic.driver import Nrf91Driver
from tests.breaks.support.patching import replaces

TITLE = "the host's agent does not keep configuration"
EXPECTED = ("test_agents.py::test_configuration_is_stored[host]", "test_agents.py::test_limit[host]")
ABOUT = r"stored"


@replaces(Nrf91Driver, "host_settings")
def host_settings(self: Nrf91Driver) -> dict[str, str]:
    """Know of nothing."""
    return {}
