"""Break: a command is SUCCEEDED as soon as the device fetches it."""

from __future__ import annotations

from typing import Any

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.commands import Command
from tests.breaks.support.patching import existing, replaces

TITLE = "a command is SUCCEEDED as soon as the device fetches it"
EXPECTED = ("test_execution.py::test_power_cut_in_mid_batch",)
ABOUT = r"IN_PROGRESS"

before = existing(Command, "to_json")


@replaces(Command, "to_json")
def to_json(self: Command) -> dict[str, Any]:
    """Take what is under way for done."""
    shown = CommandStatus.SUCCEEDED if self.status is CommandStatus.IN_PROGRESS else self.status
    return {**before(self), "status": shown.value}
