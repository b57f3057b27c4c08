"""Break: the commands of a rule overtake those that waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import service
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "the commands of a rule overtake those that waited"
EXPECTED = ("test_rules.py::test_rule_comes_behind_waiting_commands",)
ABOUT = r"types_of|has_ca|finished"

before = existing(service, "apply_rules")


@replaces(service, "apply_rules")
def apply_rules(device: ClaimedDevice, rules: Sequence[Rule], choices: Choices, now: str) -> None:
    """Put what is new in front."""
    waiting = device.queue.commands()
    before(device, rules, choices, now)
    new = device.queue.commands()[len(waiting) :]
    for command in waiting if new else ():
        device.queue._commands[command.id] = device.queue._commands.pop(command.id)
