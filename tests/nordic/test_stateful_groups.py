"""Two teams sort three boards into groups: tags, rules, bulk claims and roles keep their promises.

A state machine of hypothesis drives the fake's own doors, beside a model that was written from the fact
sheet. What every step may have changed is compared whole.
"""

from __future__ import annotations

from typing import Any

import cbor2
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.nordic.fake.conftest import Site
from tests.nordic.stateful_groups_model import MOST_OPEN, ModelDevice, ModelRule, ModelTag, ModelTeam

DEVICES = "/v1/claimed-devices"
FAMILIES = (f"{DEVICES}/tags", "/v1/provisioning/tags")
RULES = "/v1/provisioning-rules"
CONFIG = {"request": {"config": {"properties": {"a": "b"}}}}

TEAMS = st.sampled_from([0, 0, 0, 1])
NUMBERS = st.integers(0, 2)
NAMES = st.sampled_from(["white", "Oslo", "location=Trondheim", "x" * 100])
LISTS = st.lists(NAMES, max_size=3)
PLACES = st.integers(0, 4)
ROWS = st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, "", "no token", '"']), LISTS), min_size=1, max_size=5)
LINE_ENDS = st.sampled_from(["\n", "\r\n"])

EXAMPLES = 6
STEPS = 25


class Groups(RuleBasedStateMachine):
    """Teams with members of every role, boards, and the model of what must be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()
        self.papers = [self.site.enrolled(number) for number in range(10, 13)]
        owners = [self.site.team() for _team in range(2)]
        self.keys = [
            [
                self.site.team(owner_id=owner["owner_id"], role=role)["api_key"]
                for role in ("owner", "admin", "editor", "viewer")
            ]
            for owner in owners
        ]
        self.teams = [ModelTeam(), ModelTeam()]
        self.reader = 0

    # Ways to ask -------------------------------------------------------------------------------------

    def change(self, team: int, expected: int, method: str, path: str, **content: Any) -> Any:
        """Let a viewer be refused, then an editor do it; return the body of the answer."""
        self.reader = (self.reader + 1) % 4
        refused = self.site.ask(method, path, key=self.keys[team][3], **content)
        assert refused.status_code == 403
        answer = self.site.ask(method, path, key=self.keys[team][self.reader % 3], **content)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None

    def read(self, team: int, path: str) -> Any:
        """Read as a member of any role; a list is read to its end."""
        answer = self.site.ask("GET", path, key=self.keys[team][self.reader], params={"pageLimit": "100"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def owner(self, number: int) -> int | None:
        return next((team for team, model in enumerate(self.teams) if number in model.devices), None)

    def learn(self, team: int) -> None:
        """Learn the ids of tags that were defined by the way."""
        known = {item["tag"]: item["id"] for item in self.read(team, FAMILIES[0])["items"]}
        for tag in self.teams[team].tags:
            tag.id = tag.id or known[tag.name]

    # Tags --------------------------------------------------------------------------------------------

    @rule(team=TEAMS, name=NAMES, family=st.sampled_from(FAMILIES))
    def create_tag(self, team: int, name: str, family: str) -> None:
        model = self.teams[team]
        taken = model.tag(name) is not None
        body = {"tag": name, "description": ""}
        made = self.change(team, 409 if taken else 201, "POST", family, json=body)
        if not taken:
            model.tags.append(ModelTag(made["id"], name))

    @rule(team=TEAMS, place=PLACES, name=NAMES, family=st.sampled_from(FAMILIES))
    def rename_tag(self, team: int, place: int, name: str, family: str) -> None:
        model = self.teams[team]
        if place < len(model.tags):
            tag = model.tags[place]
            taken = (model.tag(name) or tag) is not tag
            body = {"tag": name, "description": ""}
            self.change(team, 409 if taken else 200, "PUT", f"{family}/{tag.id}", json=body)
            self.others(team, "PUT", f"{family}/{tag.id}", json=body)
            if not taken:
                tag.name = name

    @rule(team=TEAMS, place=PLACES, family=st.sampled_from(FAMILIES))
    def delete_tag(self, team: int, place: int, family: str) -> None:
        model = self.teams[team]
        if place < len(model.tags):
            tag = model.tags[place]
            self.others(team, "DELETE", f"{family}/{tag.id}")
            self.change(team, 204, "DELETE", f"{family}/{tag.id}")
            model.delete_tag(tag)

    def others(self, team: int, method: str, path: str, **content: Any) -> None:
        """Let the other team try it: for them it is not there."""
        answer = self.site.ask(method, path, key=self.keys[1 - team][0], **content)
        assert answer.status_code == 404

    # Devices -----------------------------------------------------------------------------------------

    @initialize(names=LISTS)
    def begin(self, names: list[str]) -> None:
        self.claim(0, 0, names)
        self.create_rule(0, 0, names or ["white"], 2, active=True)
        self.come_online(0, reports=True)

    @rule(team=TEAMS, number=NUMBERS, names=LISTS)
    def claim(self, team: int, number: int, names: list[str]) -> None:
        body = {"claimToken": self.papers[number].token(), "tags": names}
        taken = self.owner(number) is not None
        self.change(team, 409 if taken else 201, "POST", DEVICES, json=body)
        if not taken:
            self.teams[team].devices[number] = ModelDevice(self.teams[team].taken(names))
            self.learn(team)

    @rule(team=TEAMS, rows=ROWS, end=LINE_ENDS, blank=st.booleans())
    def claim_many(
        self, team: int, rows: list[tuple[int | str, list[str]]], end: str, *, blank: bool
    ) -> None:
        lines, numbers, failed = ([""] if blank else []), [], []
        model = self.teams[team]
        for what, names in rows:
            known = isinstance(what, int) and what < len(self.papers)
            token = self.papers[what].token() if isinstance(what, int) and known else str(what)
            lines.append(f'"{token}","{",".join(names)}"' if token != '"' else f'"{",".join(names)}')
            if isinstance(what, int) and known and self.owner(what) is None:
                model.devices[what] = ModelDevice(model.taken(names))
                numbers.append(what)
            else:
                failed.append(len(lines))
        body = end.join(lines).encode()
        answer = self.change(team, 200, "POST", DEVICES, content=body)
        assert answer["claimedIds"] == [self.papers[number].id for number in numbers]
        assert [row["row"] for row in answer["failed"]] == failed
        self.learn(team)

    @rule(number=NUMBERS, sure=st.integers(0, 3))
    def unclaim(self, number: int, sure: int) -> None:
        team = self.owner(number)
        if team is not None and not sure:
            self.others(team, "DELETE", f"{DEVICES}/{self.papers[number].id}")
            self.change(team, 204, "DELETE", f"{DEVICES}/{self.papers[number].id}")
            del self.teams[team].devices[number]

    @rule(number=NUMBERS, names=LISTS)
    def set_tags(self, number: int, names: list[str]) -> None:
        team = self.owner(number)
        if team is not None:
            path = f"{DEVICES}/{self.papers[number].id}"
            self.others(team, "PUT", path, json={"tags": names})
            self.change(team, 200, "PUT", path, json={"tags": names})
            self.teams[team].devices[number].tags = self.teams[team].taken(names)
            self.learn(team)

    @rule(number=NUMBERS, word=st.sampled_from(["block", "unblock"]))
    def block(self, number: int, word: str) -> None:
        team = self.owner(number)
        if team is not None:
            self.change(team, 204, "POST", f"{DEVICES}/{self.papers[number].id}/{word}")
            self.teams[team].devices[number].blocked = word == "block"

    @rule(number=NUMBERS, times=st.integers(1, 9))
    def add_commands(self, number: int, times: int) -> None:
        team = self.owner(number)
        if team is None:
            return
        device = self.teams[team].devices[number]
        for _time in range(times):
            full = device.open >= MOST_OPEN
            path = f"{DEVICES}/{self.papers[number].id}/provisioning"
            self.change(team, 400 if full else 201, "POST", path, json=CONFIG)
            if not full:
                device.commands.append(("config", "PENDING"))

    @rule(number=NUMBERS, reports=st.booleans())
    def come_online(self, number: int, *, reports: bool) -> None:
        paper, team = self.papers[number], self.owner(number)
        if team is None:
            assert self.site.fetch(paper).status_code == 401
            return
        device = self.teams[team].devices[number]
        if device.blocked:
            assert self.site.fetch(paper).status_code == 403
            return
        types = self.teams[team].online(device, reports=reports)
        answer = self.site.fetch(paper)
        elements = cbor2.loads(answer.content) if answer.status_code == 200 else []
        assert answer.status_code == (200 if types else 204)
        assert ["finished" if element[1] == 2 else "config" for element in elements] == types
        if reports and elements:
            done = [[element[0], 102 if element[1] == 2 else 101] for element in elements]
            assert self.site.report(*done, device=paper) == 200

    @rule()
    def everybody_comes_online(self) -> None:
        for number in range(len(self.papers)):
            self.come_online(number, reports=True)

    # Rules -------------------------------------------------------------------------------------------

    @rule(team=TEAMS, name=PLACES, tags=LISTS, commands=st.integers(0, 12), active=st.booleans())
    def create_rule(self, team: int, name: int, tags: list[str], commands: int, *, active: bool) -> None:
        model = self.teams[team]
        taken = f"rule {name}" in {each.name for each in model.rules}
        body = {
            "name": f"rule {name}",
            "description": "",
            "active": active,
            "commands": [CONFIG] * commands,
            "tags": tags,
        }
        made = self.change(team, 409 if taken else 201, "POST", RULES, json=body)
        if not taken:
            model.rules.append(ModelRule(made["id"], f"rule {name}", active, commands, model.taken(tags)))
            self.learn(team)

    @rule(team=TEAMS, place=PLACES, active=st.booleans())
    def switch_rule(self, team: int, place: int, *, active: bool) -> None:
        model = self.teams[team]
        if place < len(model.rules):
            each = model.rules[place]
            path = f"{RULES}/{each.id}"
            self.others(team, "PUT", path, json={"active": active})
            refused = each.active and active
            self.change(team, 409 if refused else 200, "PUT", path, json={"active": active})
            if not refused:
                each.active = active

    @rule(team=TEAMS, place=PLACES, tags=LISTS, commands=st.integers(0, 12))
    def edit_rule(self, team: int, place: int, tags: list[str], commands: int) -> None:
        model = self.teams[team]
        if place < len(model.rules):
            each = model.rules[place]
            body = {"tags": tags, "commands": [CONFIG] * commands}
            self.change(team, 409 if each.active else 200, "PUT", f"{RULES}/{each.id}", json=body)
            if not each.active:
                each.tags, each.commands = model.taken(tags), commands
                self.learn(team)

    @rule(team=TEAMS, place=PLACES)
    def delete_rule(self, team: int, place: int) -> None:
        model = self.teams[team]
        if place < len(model.rules):
            each = model.rules[place]
            self.others(team, "DELETE", f"{RULES}/{each.id}")
            self.change(team, 204, "DELETE", f"{RULES}/{each.id}")
            model.rules.remove(each)

    # What is true after every step -------------------------------------------------------------------

    @invariant()
    def devices_show_what_they_must(self) -> None:
        for team, model in enumerate(self.teams):
            shown = {item["id"]: (item["tags"], item["status"]) for item in self.read(team, DEVICES)["items"]}
            assert shown == {
                self.papers[number].id: ([tag.name for tag in device.tags], device.status)
                for number, device in model.devices.items()
            }

    @invariant()
    def commands_are_as_they_must_be(self) -> None:
        for team, model in enumerate(self.teams):
            for number, device in model.devices.items():
                path = f"{DEVICES}/{self.papers[number].id}/provisioning"
                items = self.read(team, path)["items"]
                assert [(*item["request"], item["status"]) for item in items] == device.commands

    @invariant()
    def tags_are_the_same_by_both_paths(self) -> None:
        for team, model in enumerate(self.teams):
            items = self.read(team, FAMILIES[self.reader % 2])["items"]
            assert [(item["id"], item["tag"]) for item in items] == [(tag.id, tag.name) for tag in model.tags]
            for number, device in model.devices.items():
                items = self.read(team, f"{FAMILIES[0]}/{self.papers[number].id}")["items"]
                assert {item["id"] for item in items} == {tag.id for tag in device.tags}

    @invariant()
    def rules_show_what_they_must(self) -> None:
        for team, model in enumerate(self.teams):
            items = self.read(team, RULES)["items"]
            assert [
                (item["id"], item["name"], item["active"], len(item["commands"]), item["tags"])
                for item in items
            ] == [
                (each.id, each.name, each.active, each.commands, [tag.name for tag in each.tags])
                for each in model.rules
            ]


def test_groups_keep_their_promises() -> None:
    """No order of claims, tags, rules, members and boards breaks one of the promises."""
    run_state_machine_as_test(
        Groups,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.generate],  # shrinking takes minutes, and twenty-five steps can be read
            suppress_health_check=list(HealthCheck),
        ),
    )
