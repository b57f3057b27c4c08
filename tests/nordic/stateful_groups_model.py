"""What a service must do with tags, rules and claims of many devices, in the fewest words.

Written from the fact sheet (nrfcloud fact sheet, sections 2.4, 2.6, 2.7 and 2.9); shares nothing with the
fake.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_OPEN = 20


@dataclass
class ModelTag:
    """A tag."""

    id: str
    name: str


@dataclass
class ModelRule:
    """A rule; it knows its tags by themselves, so that their names may change.

    :ivar commands: how many commands it has, ``finished`` not counted.
    """

    id: str
    name: str
    active: bool
    commands: int
    tags: list[ModelTag]


@dataclass
class ModelDevice:
    """A claimed device; a claim begins with a clean record.

    :ivar commands: type and status of every command, in order.
    :ivar had: rules that were applied.
    """

    tags: list[ModelTag] = field(default_factory=list)
    blocked: bool = False
    provisioned: bool = False
    commands: list[tuple[str, str]] = field(default_factory=list)
    had: set[str] = field(default_factory=set)

    @property
    def open(self) -> int:
        return sum(status != "SUCCEEDED" for _type, status in self.commands)

    @property
    def status(self) -> str:
        if self.blocked:
            return "BLOCKED"
        if self.open:
            return "PENDING"
        return "PROVISIONED" if self.provisioned else "READY"


@dataclass
class ModelTeam:
    """A team: its tags, its rules, and its devices by their number."""

    tags: list[ModelTag] = field(default_factory=list)
    rules: list[ModelRule] = field(default_factory=list)
    devices: dict[int, ModelDevice] = field(default_factory=dict)

    def tag(self, name: str) -> ModelTag | None:
        return next((tag for tag in self.tags if tag.name == name), None)

    def taken(self, names: list[str]) -> list[ModelTag]:
        """Return the tags of names, each once; what nobody defined is defined, with an id to be learnt."""
        found = []
        for name in dict.fromkeys(names):
            tag = self.tag(name)
            if tag is None:
                tag = ModelTag("", name)
                self.tags.append(tag)
            found.append(tag)
        return found

    def delete_tag(self, tag: ModelTag) -> None:
        self.tags.remove(tag)
        holders: list[ModelDevice | ModelRule] = [*self.devices.values(), *self.rules]
        for holder in holders:
            holder.tags = [each for each in holder.tags if each is not tag]

    def online(self, device: ModelDevice, *, reports: bool) -> list[str]:
        """Let a device that is not blocked fetch ten commands; return their types.

        Rules come first: in order, each once, as long as there is room, and one ``finished`` behind them.
        """
        applied = False
        for rule in self.rules:
            fits = any(tag in rule.tags for tag in device.tags)
            if not rule.active or rule.id in device.had or not fits:
                continue
            if device.open + rule.commands + 1 > MOST_OPEN:
                break
            device.commands += [("config", "PENDING")] * rule.commands
            device.had.add(rule.id)
            applied = True
        if applied:
            device.commands.append(("finished", "PENDING"))
        batch = [place for place, (_type, status) in enumerate(device.commands) if status != "SUCCEEDED"][:10]
        for place in batch:
            device.commands[place] = (device.commands[place][0], "SUCCEEDED" if reports else "IN_PROGRESS")
        device.provisioned = device.provisioned or (bool(batch) and not device.open)
        return [device.commands[place][0] for place in batch]
