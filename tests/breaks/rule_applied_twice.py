"""Break: a rule is applied whenever its device asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import MOST_OPEN_COMMANDS
from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "a rule is applied whenever its device asks"
EXPECTED = (
    "test_rules.py::test_rule_is_applied_once",
    "test_rule_control.py::test_rule_activated_again",
)
ABOUT = r"NO_COMMANDS|DONE"

before = existing(TeamRules, "matching")


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Forget what was applied."""
    device.rules.clear()
    found: list[Rule] = before(self, device)
    return found if device.queue.room == MOST_OPEN_COMMANDS else []
