"""Break: the key store is lost with the power."""

from __future__ import annotations

from harness_pelion.virtual.board import MblDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "the key store is lost with the power"
EXPECTED = (
    "test_status.py::test_configured_device",
    "test_reboot.py::test_boot_between_sessions[stored]",
)
ABOUT = r"configured"

before = existing(MblDevice, "power_off")


@replaces(MblDevice, "power_off")
def power_off(self: MblDevice) -> None:
    """Keep nothing."""
    before(self)
    self._controls._kcm.forget()
