"""Break: the board acknowledges configuration and does not store it."""

from __future__ import annotations

from harness_nordic.virtual.firmware_settings import FirmwareSettings
from tests.breaks.support.patching import replaces

TITLE = "the board acknowledges configuration and does not store it"
EXPECTED = (
    "test_commands.py::test_configuration",
    "test_credential_store.py::test_configuration_survives_a_power_cycle",
)
ABOUT = r"settings|stored"


@replaces(FirmwareSettings, "save")
def save(self: FirmwareSettings, key: str, value: str) -> None:
    """Store nothing."""
