"""Two teams and two boards do what they like: the service keeps its promises after every step.

A state machine of hypothesis drives a fake in a process of its own through the client and the device
endpoint, beside a model that was written from the fact sheet.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import cbor2
import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.errors import RequestRefused
from harness_nordic import plugin
from harness_nordic.client import connect, enrol
from tests.nordic.paper_device import PaperDevice
from tests.nordic.stateful_model import MOST_OPEN, REQUESTS, Board, ModelDevice, command_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.backends.contract import Backend
    from harness_nordic.client_models import CommandRecord

OWNERS_MOSTLY = st.sampled_from([True] * 5 + [False])
DEVICES = st.integers(0, 1)
KINDS = st.lists(st.sampled_from(sorted(REQUESTS)), min_size=1, max_size=9)
PLACES = st.integers(0, 12)
NUMBERS = count(1)

EXAMPLES = 12
STEPS = 40


class Service(RuleBasedStateMachine):
    """Teams, boards, and the model of what the service must show."""

    backend: Backend

    def __init__(self) -> None:
        super().__init__()
        number = next(NUMBERS)
        self.http = httpx.Client()
        self.teams = [
            connect(self.backend, BackendSession(run_id=f"run-{number}", worker=f"w{team}"))
            for team in range(2)
        ]
        papers = [PaperDevice(2 * number + device) for device in range(2)]
        for paper in papers:
            enrol(self.backend, paper.record())
        self.boards = [Board(paper, self.backend.url, self.http) for paper in papers]
        self.model = [ModelDevice() for _paper in papers]
        self.finals: dict[str, tuple[str, Any]] = {}
        self.waiting_when_blocked: list[set[str] | None] = [None, None]
        self.owner_tidied = False

    def teardown(self) -> None:
        """Let every board come to its end, with the help of its owner: every command ends in one state."""
        try:
            for device, model in enumerate(self.model):
                if model.owner is not None:
                    self._finish(device)
        finally:
            for team in self.teams:
                team.undo()
                team.close()
            self.http.close()

    def _finish(self, device: int) -> None:
        model, board = self.model[device], self.boards[device]
        ours = self._claimed(device)
        ours.unblock()
        while sum(command.status != "SUCCEEDED" for command in model.commands) > MOST_OPEN:
            failed = next(command for command in model.commands if command.status == "FAILED")
            ours.command(failed.id).delete()
            model.commands.remove(failed)
        ours.reset()
        board.reboot()
        status = ours.refresh().status
        while board.fetch(10)[0] == 200:
            assert board.post(board.execute(None)[0]) == 200
            status = "PROVISIONED"
        assert [command.status for command in ours.commands()] == ["SUCCEEDED"] * len(model.commands)
        # With nothing left to do it stays as it was: READY too, when what waited was deleted or discarded.
        assert ours.refresh().status == status
        assert status in {"PROVISIONED", "READY"}

    def _claimed(self, device: int) -> Any:
        owner = self.model[device].owner
        assert owner is not None
        return self.teams[owner].device(self.boards[device].device.id)

    def _team(self, device: int, *, owner: bool) -> int:
        """Return the team that has a device, or the one that has not."""
        having = self.model[device].owner or 0
        return having if owner else 1 - having

    def _as_owner(self, team: int, device: int, expected: int, call: Callable[[], Any]) -> Any:
        """Make a call in a team's name: it works for the owner, and is refused for anybody else.

        :param expected: the status with which the owner is refused; 0: not at all.
        """
        status = 404 if self.model[device].owner != team else expected
        if not status:
            return call()
        with pytest.raises(RequestRefused) as refusal:
            call()
        assert refusal.value.status == status
        return None

    # Owners ------------------------------------------------------------------------------------------

    @initialize(teams=st.tuples(st.integers(0, 1), st.integers(0, 1)), kinds=KINDS)
    def begin(self, teams: tuple[int, int], kinds: list[str]) -> None:
        for device, team in enumerate(teams):
            self.claim(team, device)
            self.add(device, kinds, owner=True)

    @rule(team=st.integers(0, 1), device=DEVICES)
    def claim(self, team: int, device: int) -> None:
        token = self.boards[device].device.token()
        if self.model[device].owner is None:
            claimed = self.teams[team].claim(token)
            self.model[device] = ModelDevice(owner=team)
            assert claimed.commands() == []
            return
        with pytest.raises(RequestRefused) as refusal:
            self.teams[team].claim(token)
        assert refusal.value.status == 409

    @rule(owner=OWNERS_MOSTLY, device=DEVICES, sure=st.integers(0, 3))
    def unclaim(self, device: int, sure: int, *, owner: bool) -> None:
        team = self._team(device, owner=owner)
        if sure and self.model[device].owner == team:
            return  # an owner rarely lets go: what comes after a claim is of more interest
        self._as_owner(team, device, 0, lambda: self.teams[team].unclaim(self.boards[device].device.id))
        if self.model[device].owner == team:
            self.model[device] = ModelDevice()
            self.owner_tidied = True

    @rule(owner=OWNERS_MOSTLY, device=DEVICES, blocked=st.booleans())
    def block(self, device: int, *, owner: bool, blocked: bool) -> None:
        team = self._team(device, owner=owner)
        identifier = self.boards[device].device.id
        self._as_owner(
            team,
            device,
            0,
            lambda: self.teams[team].block(identifier) if blocked else self.teams[team].unblock(identifier),
        )
        if self.model[device].owner == team:
            self.model[device].blocked = blocked

    @rule(owner=OWNERS_MOSTLY, device=DEVICES, kinds=KINDS)
    def add(self, device: int, kinds: list[str], *, owner: bool) -> None:
        team = self._team(device, owner=owner)
        identifier, model = self.boards[device].device.id, self.model[device]
        for kind in kinds:
            full = 400 if len(model.open) >= MOST_OPEN else 0
            add = partial(self.teams[team].add_command, identifier, REQUESTS[kind], "")
            made = self._as_owner(team, device, full, add)
            if made is not None:
                model.add(made.id, kind)

    @rule(owner=OWNERS_MOSTLY, device=DEVICES)
    def reset(self, device: int, *, owner: bool) -> None:
        team = self._team(device, owner=owner)
        model = self.model[device]
        revived = [command for command in model.commands if command.status in {"FAILED", "IN_PROGRESS"}]
        pending = sum(command.status == "PENDING" for command in model.commands)
        expected = 400 if pending + len(revived) > MOST_OPEN else 0
        self._as_owner(
            team, device, expected, lambda: self.teams[team].reset_commands(self.boards[device].device.id)
        )
        if model.owner == team and not expected:
            for command in revived:
                self.finals.pop(command.id, None)  # the one way in which a final command changes
                command.status = "PENDING"
            model.settle()

    @rule(owner=OWNERS_MOSTLY, device=DEVICES)
    def discard(self, device: int, *, owner: bool) -> None:
        team = self._team(device, owner=owner)
        model = self.model[device]
        self._as_owner(
            team, device, 0, lambda: self.teams[team].discard_commands(self.boards[device].device.id)
        )
        if model.owner == team:
            model.drop(model.open)
            model.settle()
            self.owner_tidied = True

    @rule(owner=OWNERS_MOSTLY, device=DEVICES, place=PLACES)
    def delete(self, device: int, place: int, *, owner: bool) -> None:
        team = self._team(device, owner=owner)
        model, identifier = self.model[device], self.boards[device].device.id
        if not model.commands:
            return
        command = model.commands[place % len(model.commands)]
        in_hand = 409 if command.status == "IN_PROGRESS" else 0
        self._as_owner(team, device, in_hand, lambda: self.teams[team].delete_command(identifier, command.id))
        if model.owner == team and not in_hand:
            model.drop([command])
            self.finals.pop(command.id, None)
            if model.queue_status == "PENDING":
                model.settle()
            self.owner_tidied = True

    # Boards ------------------------------------------------------------------------------------------

    def _turned_away(self, device: int) -> int:
        """Return the status with which the board is turned away; 0: it is not."""
        model = self.model[device]
        if model.owner is None:
            return 401
        return 403 if model.blocked else 0

    @rule(device=DEVICES, place=PLACES, rounds=st.integers(1, 4))
    def provision(self, device: int, place: int, rounds: int) -> None:
        for _round in range(rounds):
            self.fetch(device, 10)
            if not self.boards[device].in_hand:
                return
            self.execute(device, place, lost=False)

    @rule(device=DEVICES, limit=st.sampled_from([1, 2, 5, 10]))
    def fetch(self, device: int, limit: int) -> None:
        board, model = self.boards[device], self.model[device]
        after = command_of(board.after)
        status, ids = board.fetch(limit)
        refusal = self._turned_away(device)
        if refusal:
            assert status == refusal
            return
        assert ids == model.fetch(after, limit)
        assert status == (200 if ids else 204)

    @rule(device=DEVICES, place=PLACES, lost=st.booleans())
    def execute(self, device: int, place: int, *, lost: bool) -> None:
        board = self.boards[device]
        if not board.in_hand:
            return
        ids = list(dict.fromkeys(command_of(element[0]) for element in board.in_hand))
        body, outcomes = board.execute(ids[place] if place < len(ids) else None)
        board.last_report = body
        if not lost:
            self._post(device, body, outcomes)

    def _post(self, device: int, body: bytes, outcomes: list[tuple[str, bool]] | None = None) -> None:
        """Post a report; the model says how it must be answered and what it does."""
        model = self.model[device]
        elements = cbor2.loads(body)
        if outcomes is None:
            outcomes = [
                (command_of(element[0]), element[1] != 99)
                for element in elements
                if element[1] == 99 or not element[0].endswith(".s")
            ]
        accepted = model.accepts([command_of(element[0]) for element in elements])
        status = self._turned_away(device) or (200 if accepted else 400)
        assert self.boards[device].post(body) == status
        if status == 200:
            model.report(outcomes)

    @precondition(lambda self: any(board.last_report for board in self.boards))
    @rule(device=DEVICES)
    def report_again(self, device: int) -> None:
        body = self.boards[device].last_report
        if body is not None:
            self._post(device, body)

    @precondition(lambda self: any(board.last_report for board in self.boards))
    @rule(device=DEVICES)
    def report_for_the_other_board(self, device: int) -> None:
        body = self.boards[1 - device].last_report
        if body is not None:
            assert self.boards[device].post(body) == (self._turned_away(device) or 400)

    @rule(device=DEVICES)
    def reboot(self, device: int) -> None:
        self.boards[device].reboot()

    # What is true after every step -------------------------------------------------------------------

    @invariant()
    def one_owner_a_board(self) -> None:
        for team, client in enumerate(self.teams):
            listed = {device.id: device.status.value for device in client.devices()}
            assert listed == {
                board.device.id: model.status
                for board, model in zip(self.boards, self.model, strict=True)
                if model.owner == team
            }

    @invariant()
    def commands_are_as_they_must_be(self) -> None:
        for device, model in enumerate(self.model):
            if model.owner is None:
                self.waiting_when_blocked[device] = None
                continue
            listed = self.teams[model.owner].list_commands(self.boards[device].device.id)
            shown = [(command.id, *command.request, command.status) for command in listed]
            assert shown == [(command.id, command.type, command.status) for command in model.commands]
            waiting = {command.id for command in listed if command.status in {"PENDING", "IN_PROGRESS"}}
            assert len(waiting) <= MOST_OPEN
            self._final_is_final(listed)
            self._blocked_queue_never_shrinks(device, waiting)
        self.owner_tidied = False

    def _final_is_final(self, listed: list[CommandRecord]) -> None:
        for command in listed:
            final = command.status in {"SUCCEEDED", "FAILED"}
            assert bool(command.response) == final
            if final:
                now = (command.status.value, command.response)
                assert self.finals.setdefault(command.id, now) == now
            else:
                assert command.id not in self.finals

    def _blocked_queue_never_shrinks(self, device: int, waiting: set[str]) -> None:
        before = self.waiting_when_blocked[device]
        assert before is None or self.owner_tidied or before <= waiting
        self.waiting_when_blocked[device] = waiting if self.model[device].blocked else None


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Run the fake that the plugin names."""
    directory: Path = tmp_path_factory.mktemp("fake")
    (spec,) = plugin.harness_backends()
    with start_fake(spec, directory, lifeline=None) as fake:
        yield fake.backend


def test_promises_hold_after_every_step(backend: Backend) -> None:
    """Whatever teams and boards do, every promise is kept after every step, and every command ends."""
    Service.backend = backend
    run_state_machine_as_test(
        Service,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.generate],  # shrinking takes minutes, and forty steps can be read
            suppress_health_check=list(HealthCheck),
        ),
    )
