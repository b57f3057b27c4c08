"""The provisioning rules of one team, and what they do to a device that comes online.

Facts and fake choices: nrfcloud fact sheet, section 2.9.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness_nordic.enums import CommandType, DeviceStatus
from harness_nordic.fake.command_queue import MOST_OPEN_COMMANDS
from harness_nordic.fake.refusals import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.onboarding import Onboarding
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.tags import TeamTags

MOST_RULE_COMMANDS = MOST_OPEN_COMMANDS - 1
"""A rule's own commands: with ``finished`` behind them they must fit an empty queue, or they never would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCommand:
    """A command that a rule gives to devices."""

    type: CommandType
    fields: dict[str, Any]
    description: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a rule's ``commands``."""
        return {"description": self.description, "request": {self.type.value: self.fields}}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContents:
    """What a team decides of a rule.

    :ivar active: whether devices get it; a rule that is not is a draft, and only drafts may be edited.
    :ivar tags: names of tags; devices that hold any of them get the rule.
    :ivar onboarding: how the device is to appear in device management; ``None`` when it is not to.
    """

    name: str
    description: str = ""
    active: bool = False
    commands: tuple[RuleCommand, ...] = ()
    tags: tuple[str, ...] = ()
    onboarding: Onboarding | None = None


@dataclass(slots=True, kw_only=True)
class Rule:
    """A provisioning rule.

    :ivar number: counts the team's rules; the order of lists, and that in which rules apply.
    """

    id: str
    number: int
    created_at: str
    contents: RuleContents
    tag_ids: tuple[str, ...]

    @property
    def commands(self) -> tuple[RuleCommand, ...]:
        """Its commands without a ``finished`` at their end, which every rule gets anyway."""
        commands = self.contents.commands
        return commands[:-1] if commands and commands[-1].type is CommandType.FINISHED else commands


class TeamRules:
    """All rules of one team; their names are unique."""

    def __init__(self, tags: TeamTags) -> None:
        """Begin without rules.

        :param tags: the team's tags.
        """
        self._tags = tags
        self._rules: dict[str, Rule] = {}
        self._made = 0

    def create(self, contents: RuleContents, created_at: str) -> Rule:
        """Make a rule; tags that nobody defined are defined by it.

        :raises Conflict: there is a rule of this name.
        :raises BadRequest: its commands cannot be given to a device.
        """
        self._check(contents)
        self._refuse_taken(contents.name)
        self._made += 1
        rule = Rule(
            id=str(uuid.uuid4()),
            number=self._made,
            created_at=created_at,
            contents=contents,
            tag_ids=self._tags.ids_of(contents.tags, define=True),
        )
        self._rules[rule.id] = rule
        return rule

    def rule(self, rule_id: str) -> Rule:
        """Return a rule.

        :raises NotFound: the team has no such rule.
        """
        try:
            return self._rules[rule_id]
        except KeyError:
            raise NotFound("the team has no such rule") from None

    def all(self) -> list[Rule]:
        """Return every rule in the order of creation."""
        return list(self._rules.values())

    def change(self, rule_id: str, contents: RuleContents) -> Rule:
        """Edit a draft, activate it, or take an active rule out of use.

        An active rule is edited in nothing but that (fake choice): it is a draft again then.

        :param contents: what the rule is to be, all of it.
        :raises NotFound: the team has no such rule.
        :raises Conflict: it is active and stays so, or another rule has this name.
        :raises BadRequest: its commands cannot be given to a device.
        """
        rule = self.rule(rule_id)
        if rule.contents.active and contents != replace(self.contents_of(rule), active=False):
            raise Conflict("an active rule cannot be edited; it can be taken out of use, and nothing else")
        self._check(contents)
        if contents.name != rule.contents.name:
            self._refuse_taken(contents.name)
        rule.tag_ids = self._tags.ids_of(contents.tags, define=True)
        rule.contents = contents
        return rule

    def delete(self, rule_id: str) -> None:
        """Delete a rule; devices keep what it gave them.

        :raises NotFound: the team has no such rule.
        """
        del self._rules[self.rule(rule_id).id]

    def matching(self, device: ClaimedDevice) -> list[Rule]:
        """Return the active rules for a device that it has not got, in the order of their creation."""
        held = {tag.id for tag in self._tags.held(device.tag_ids)}
        return [
            rule
            for rule in self._rules.values()
            if rule.contents.active and rule.id not in device.rules and not held.isdisjoint(rule.tag_ids)
        ]

    def to_json(self, rule: Rule) -> dict[str, Any]:
        """Return the rule object of the API; only ``tags`` is known of it (section 2.9)."""
        contents = self.contents_of(rule)
        data: dict[str, Any] = {
            "id": rule.id,
            "name": contents.name,
            "description": contents.description,
            "active": contents.active,
            "commands": [command.to_json() for command in contents.commands],
            "tags": list(contents.tags),
            "createdAt": rule.created_at,
        }
        if contents.onboarding is not None:
            data["onboarding"] = contents.onboarding.to_json()
        return data

    def contents_of(self, rule: Rule) -> RuleContents:
        """Return a rule's contents, with its tags as they are called now."""
        names = tuple(tag.name for tag in self._tags.held(rule.tag_ids))
        return replace(rule.contents, tags=names)

    def _refuse_taken(self, name: str) -> None:
        if any(rule.contents.name == name for rule in self._rules.values()):
            raise Conflict("the team has a rule of this name")

    def _check(self, contents: RuleContents) -> None:
        commands = contents.commands
        if any(command.type is CommandType.FINISHED for command in commands[:-1]):
            raise BadRequest("commands: finished ends a rule, nothing can follow it")
        own = sum(command.type is not CommandType.FINISHED for command in commands)
        if own > MOST_RULE_COMMANDS:
            raise BadRequest(f"commands: a rule has at most {MOST_RULE_COMMANDS}, and then finished")


def apply_rules(device: ClaimedDevice, rules: Sequence[Rule], choices: Choices, now: str) -> None:
    """Give a device that is online the commands of rules, in their order, and ``finished`` behind them all.

    A rule that has no room in the queue waits for a later fetch, and those behind it with it (fake choice).
    A device in ERROR gets none before somebody has reset or discarded what failed (fake choice).

    :param rules: those that match and were not applied to the device since its claim.
    """
    if device.queue.device_status is DeviceStatus.ERROR:
        return
    applied: list[Rule] = []
    for rule in rules if choices.rules_in_order else reversed(rules):
        if len(rule.commands) + choices.rule_finished > device.queue.room:
            if choices.rules_overtake:
                continue
            break
        for command in rule.commands:
            device.queue.add(command.type, command.fields, description=command.description, created_at=now)
        applied.append(rule)
    device.rules.update(rule.id for rule in applied)
    if applied and choices.rule_finished:
        last = device.queue.add(CommandType.FINISHED, {}, description="", created_at=now)
        device.onboardings += [
            (last.id, rule.contents.onboarding)
            for rule in applied
            if rule.contents.onboarding is not None and choices.rules_onboard
        ]
