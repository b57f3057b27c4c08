"""Break: a rule that has no room in the queue never applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "a rule that has no room in the queue never applies"
EXPECTED = ("test_rules.py::test_rule_without_room_in_the_queue",)
ABOUT = r"types_of|event"

before = existing(TeamRules, "matching")


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Tick off what does not fit."""
    found: list[Rule] = before(self, device)
    device.rules.update(rule.id for rule in found if len(rule.commands) >= device.queue.room)
    return [rule for rule in found if rule.id not in device.rules]
