"""Break: an interval that was typed to the shell is forgotten at the next boot."""

from __future__ import annotations

from harness_nordic.virtual.schedule import PollingSchedule
from tests.breaks.support.patching import existing, replaces

TITLE = "an interval that was typed to the shell is forgotten at the next boot"
EXPECTED = ("test_shell_provisioning.py::test_interval_that_is_typed_is_kept*",)
ABOUT = r"interval"

stored = existing(PollingSchedule, "interval")
boot_before = existing(PollingSchedule, "boot")
typed: dict[int, int] = {}


@replaces(PollingSchedule, "interval")
def interval(self: PollingSchedule) -> int:
    """Think of what was typed first."""
    seconds: int = typed.get(id(self)) or stored.fget(self)
    return seconds


@replaces(PollingSchedule, "set_interval")
def set_interval(self: PollingSchedule, seconds: int) -> None:
    """Store nothing."""
    typed[id(self)] = seconds
    self.changed()


@replaces(PollingSchedule, "boot")
def boot(self: PollingSchedule) -> None:
    """Forget what was typed."""
    typed.pop(id(self), None)
    boot_before(self)
