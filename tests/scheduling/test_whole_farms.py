"""Whole farms whose workers, boards and tests do anything at any time: nothing is lost, nobody hangs."""

from __future__ import annotations

from collections import Counter, deque
from functools import reduce
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from harness.scheduling.dispatch import Dispatcher
from harness.scheduling.work import Work
from tests.scheduling.farm import AB, ABC, KINDS, NONE_YET, A, B, C, Turns, Worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from harness.scheduling.work import Assignment, Boards

    Unit = tuple[tuple[Boards, int], list[float | Mapping[str, float]]]

BRIEF, LONG = 0.05, 2.0
SHRINKING_SECONDS = 20
NEEDS = st.sampled_from(
    [(None, 1), (A, 1), (B, 1), (C, 1), (AB, 1), (ABC, 1), (NONE_YET, 1), (AB, 2), (ABC, 2), (ABC, 3)]
)
SECONDS = st.sampled_from([BRIEF, 1.0, LONG, {"car": BRIEF, "boat": LONG}, {"car": 1.0}, {}])
UNITS = st.lists(st.tuples(NEEDS, st.lists(SECONDS, min_size=1, max_size=3)), max_size=7)


class Farm(RuleBasedStateMachine):
    """A session under an independent eye: it knows boards, processes and promises, and nothing of queues."""

    @initialize(units=UNITS, order=st.randoms(use_true_random=False), extra=st.booleans())
    def begin(self, units: list[Unit], order: Random, *, extra: bool) -> None:
        """Start a session on three boards."""
        self.work: list[Work] = []
        for number, ((boards, count), several) in enumerate(units):
            group = f"g{number}" if len(several) > 1 else None
            for seconds in several:
                self.work.append(Work(boards=boards, count=count, seconds=seconds, group=group))
        order.shuffle(self.work)
        self.fits = [one.boards for one in self.work]
        self.turns = Turns()
        self.tests: Dispatcher[int] = Dispatcher(self.work, KINDS, self.turns.revoke, restarts=True)
        self.workers: dict[int, Worker] = {}
        self.started: list[str | None] = [*"abc", *([None] if extra else [])]
        self.mail: deque[tuple[str, int, int]] = deque()
        self.begun: Counter[int] = Counter()
        self.allowed: Counter[int] = Counter(range(len(self.work)))
        self.shunned: dict[int, set[str]] = {}
        self.declined: dict[int, set[str]] = {}
        self.reported: set[int] = set()
        self.using: dict[str, int] = {}
        self.last_of_group: dict[str, tuple[int, int]] = {}
        self.last_of_worker: dict[int, int] = {}
        self.away: set[str] = set()
        self.given_up: set[str] = set()
        self.late = ["d"]
        self.ended = False
        self.now = 0.0
        self.serial = 0
        for board in self.started:
            self.tests.expect(board)
        while self.started:
            self.join()

    # -- what the controller does -------------------------------------------------------------------------

    def look(self) -> None:
        """Do what the scheduler does after each event."""
        self.now += 0.4
        hopeless = self.tests.take_hopeless()
        for index in hopeless:
            open_boards: set[str] = set(self.unit_fits(index) or ()) - self.given_up - self.shunned_of(index)
            assert len(open_boards) < self.count(index), "given up although boards are there"
        self.reported.update(hopeless)
        for number, orders in self.tests.give_orders(self.now).items():
            worker = self.workers[number]
            assert not (orders.assignments and worker.told_to_end), "nothing follows the end"
            for assignment in orders.assignments:
                assert not self.ended, "nothing is handed out after the end"
                assert not self.expected_back & {str(worker.board), *assignment.boards}, (
                    "a board that is away"
                )
                worker.inbox.append((worker.turns, assignment))
                worker.turns += 1
            worker.told_to_end |= orders.shut_down
        for board in self.tests.boards_without_worker():
            living = [self.workers[number].board for number in self.tests.workers]
            assert board not in [*living, *self.started], "never two workers on one board"
            self.tests.expect(board)
            self.started.append(board)

    @property
    def expected_back(self) -> set[str]:
        """The boards that are away and may come back."""
        return {*self.away} - self.given_up

    def unit_fits(self, index: int) -> frozenset[str] | None:
        """Return the boards that a test fits, together with the group that it is kept with."""
        if self.work[index].group is None or self.begun[index]:
            return self.fits[index]
        same = [fits for fits, work in zip(self.fits, self.work, strict=True) if self.same(work, index)]
        return reduce(
            frozenset.intersection, [fits for fits in same if fits is not None], same[0] or NONE_YET
        )

    def same(self, work: Work, index: int) -> bool:
        """Tell whether a test is of the group of another one."""
        return work.group == self.work[index].group

    def shunned_of(self, index: int) -> set[str]:
        """Return the boards that were not fit for a test, or for one of its group, or where it has failed."""
        group = self.work[index].group
        same = [i for i, work in enumerate(self.work) if i == index or (group and work.group == group)]
        return set().union(*(self.shunned.get(i, set()) | self.declined.get(i, set()) for i in same))

    def count(self, index: int) -> int:
        """Return how many boards a test takes."""
        return 1 if self.work[index].boards is None else self.work[index].count

    @precondition(lambda self: self.started)
    @rule()
    def join(self) -> None:
        """A worker that was started takes part."""
        board = self.started.pop(0)
        self.workers[self.serial] = Worker(board)
        self.tests.add_worker(self.serial, board)
        self.serial += 1
        self.look()

    @precondition(lambda self: self.mail)
    @rule(again=st.booleans(), elsewhere=st.booleans())
    def hear(self, *, again: bool, elsewhere: bool) -> None:
        """The controller hears what a worker said first; it may have the test run again."""
        what, number, index = self.mail.popleft()
        worker = self.workers[number]
        if what not in {"end", "crash"}:
            self.tests.complete(number, index, declined=what == "declined")
            if what == "declined":
                self.interrupt(index)
            elif what == "complete" and again and self.allowed[index] < 3:
                self.run_again(index, worker.board if elsewhere else None)
        else:
            crashed = self.tests.retire(number)
            worker = self.workers.pop(number)
            self.interrupt_all()
            assert what == "crash" or crashed is None
            if what == "crash":  # xdist starts a replacement at once
                self.started.append(worker.board)
                self.tests.expect(worker.board)
                if crashed is not None and again:
                    self.run_again(crashed, None)
        self.look()

    def run_again(self, index: int, not_on: str | None) -> None:
        """Have a test run once more."""
        if not_on is None or self.tests.may_run_elsewhere(index, not_on):
            self.allowed[index] += 1
            if not_on is not None:
                self.shunned.setdefault(index, set()).add(not_on)
            self.tests.put_back(index, not_on=not_on)

    # -- what workers do ----------------------------------------------------------------------------------

    def active(self) -> list[int]:
        """Return the workers that can go on."""
        return [number for number, worker in self.workers.items() if worker.may_go_on]

    @precondition(lambda self: self.active())
    @rule(data=st.data(), declines=st.integers(0, 9))
    def go_on(self, data: st.DataObject, declines: int) -> None:
        """A worker begins a test, passes over one, ends the one that it runs, or ends as it was told to."""
        self._go_on(data.draw(st.sampled_from(self.active())), declines=declines == 0)

    def _go_on(self, number: int, *, declines: bool = False) -> None:
        worker = self.workers[number]
        if worker.running is not None:
            self.mail.append(("complete", number, worker.running.test))
            self.free(worker)
            return
        if not worker.inbox:
            worker.dead = True
            self.mail.append(("end", number, -1))
            return
        turn, assignment = worker.inbox.popleft()
        worker.standing = None
        if not self.turns.begin(number, turn):
            self.mail.append(("passed over", number, assignment.test))
        elif declines and self.work[assignment.test].boards is not None:
            if not assignment.stands_by:
                self.shunned.setdefault(assignment.test, set()).add(str(worker.board))
            self.declined.setdefault(assignment.test, set()).add(str(worker.board))
            self.mail.append(("declined", number, assignment.test))
        elif assignment.stands_by:
            worker.standing = assignment.test
            self.mail.append(("stands by", number, assignment.test))
        else:
            self.run_test(number, worker, assignment)

    def run_test(self, number: int, worker: Worker, assignment: Assignment) -> None:
        """Begin a test, and judge whether that is right."""
        index = assignment.test
        fits = self.fits[index]
        boards = assignment.boards or ((worker.board,) if worker.board else ())
        if fits is not None:
            assert len(set(boards)) == len(boards) == self.count(index), "so many boards as it takes"
            assert set(boards) <= fits - self.shunned.get(index, set()), "boards that fit"
            assert boards[0] == worker.board, "the runner's own first"
            assert list(boards[1:]) == sorted(boards[1:]), "then in order"
        for board in boards:
            assert board not in self.using, f"two tests on board {board}"
            self.using[board] = index
        for other in self.workers.values():
            if other is not worker and other.board in boards and not other.dead:
                assert other.running is None, "the other worker runs a test"
                untouched = other.turns == 0
                assert untouched or other.standing == index or self.group_stands(other, index), "stands by"
        self.begun[index] += 1
        assert self.begun[index] <= self.allowed[index], "a test runs twice"
        self.check_group(number, index)
        worker.running = assignment

    def group_stands(self, worker: Worker, index: int) -> bool:
        """Tell whether a worker stands by for the group of a test."""
        group = self.work[index].group
        return worker.standing is not None and group is not None and self.work[worker.standing].group == group

    def check_group(self, number: int, index: int) -> None:
        """See that a group's tests come in their order, at one worker, with nothing in between."""
        group = self.work[index].group
        if group is not None and self.begun[index] == 1:
            if group in self.last_of_group:
                last, where = self.last_of_group[group]
                assert last < index, "in their order"
                assert where == number, "on one worker"
                assert self.last_of_worker.get(number) == last, "one after the other"
            assert all(not self.goes_on_with(worker, group) for worker in self.workers.values()), "at once"
            self.last_of_group[group] = index, number
        self.last_of_worker[number] = index

    def goes_on_with(self, worker: Worker, group: str) -> bool:
        """Tell whether a worker runs a test of a group, other than once more."""
        test = None if worker.running is None else worker.running.test
        return test is not None and self.work[test].group == group and self.begun[test] == 1

    def interrupt(self, index: int) -> None:
        """A group did not go on where it was."""
        self.last_of_group.pop(self.work[index].group or "", None)

    def interrupt_all(self) -> None:
        """It may be that any group did not go on where it was."""
        self.last_of_group.clear()

    def free(self, worker: Worker) -> None:
        """A test is over."""
        assert worker.running is not None
        for board in worker.running.boards or ((worker.board,) if worker.board else ()):
            self.using.pop(board, None)
        worker.running = None

    @precondition(lambda self: any(not worker.dead for worker in self.workers.values()))
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker crashes."""
        number = data.draw(st.sampled_from([n for n, worker in self.workers.items() if not worker.dead]))
        worker = self.workers[number]
        worker.dead = True
        if worker.running is not None:
            self.free(worker)
        self.mail.append(("crash", number, -1))

    # -- what boards do -----------------------------------------------------------------------------------

    @rule(board=st.sampled_from("abcd"))
    def lose(self, board: str) -> None:
        """A board goes away."""
        if board not in self.away and board not in self.late:
            self.away.add(board)
            self.tests.lose_board(board)
            self.interrupt_all()
            self.look()

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        """A board comes back, perhaps when nobody waits for it any more."""
        board = data.draw(st.sampled_from(sorted(self.away)))
        self.away.discard(board)
        self.given_up.discard(board)
        self.tests.return_board(board)
        self.look()

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        """The deadline for a return passes."""
        board = data.draw(st.sampled_from(sorted(self.away)))
        self.given_up.add(board)
        self.tests.give_up_board(board)
        self.look()

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def come_late(self, data: st.DataObject) -> None:
        """A new board comes, and fits some of the tests."""
        board = self.late.pop()
        with_board = [index for index, boards in enumerate(self.fits) if boards is not None]
        fitting = data.draw(st.sets(st.sampled_from(with_board))) if with_board else set()
        for index in fitting:
            self.fits[index] = (self.fits[index] or NONE_YET) | {board}
        self.tests.add_board(board, "boat", fitting)
        self.look()

    @precondition(lambda self: not self.ended)
    @rule(really=st.integers(0, 19))
    def end(self, really: int) -> None:
        """The time is over, now and then."""
        if really == 0:
            self.ended = True
            self.tests.end()
            self.look()

    # -- what always holds --------------------------------------------------------------------------------

    @invariant()
    def every_test_is_in_one_place(self) -> None:
        """No test is lost, and none that was given up had run."""
        held = [index for worker in self.tests.workers for index in self.tests.held_by(worker)]
        everywhere = [*held, *self.tests.queued, *self.tests.finished]
        assert sorted(everywhere) == list(range(len(self.work)))
        assert all(len(self.tests.held_by(worker)) <= 2 for worker in self.tests.workers)
        assert self.reported <= self.tests.finished

    @invariant()
    def it_goes_on_until_all_ran(self) -> None:
        """While a test is left, somebody can do something about it: a session never hangs or ends early."""
        quiet = not (self.active() or self.mail or self.started)
        left = {index for index in self.tests.queued if self.can_ever_run(index)}
        if quiet and left and not self.ended:
            assert self.expected_back, left
            assert not self.tests.only_last_tests_left
        if quiet and not self.tests.has_unfinished:
            assert self.tests.only_last_tests_left

    def can_ever_run(self, index: int) -> bool:
        """Tell whether there are enough boards in the session that a test fits."""
        fits = self.unit_fits(index)
        return fits is None or len(fits) >= self.group_count(index)

    def group_count(self, index: int) -> int:
        """Return how many boards a test takes, or its group."""
        return self.count(index)

    def teardown(self) -> None:
        """However far it went, it comes to an end in which every test ran, was reported or fits nobody."""
        if not hasattr(self, "tests"):
            return
        for board in sorted(self.away):
            self.given_up.add(board)
            self.tests.give_up_board(board)
        self.look()
        for _ in range(1000):
            if self.mail:
                self.hear(again=False, elsewhere=False)
            elif self.started:
                self.join()
            elif self.active():
                self._go_on(self.active()[0])
            else:
                break
        else:
            raise AssertionError("it never comes to an end")
        assert self.tests.only_last_tests_left
        homeless = self.tests.take_homeless()
        assert all(not self.can_ever_run(index) for index in homeless)
        if not self.ended:
            assert self.tests.finished == set(range(len(self.work)))
            assert not self.tests.has_unfinished


@pytest.fixture(autouse=True)
def shrink_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a farm that failed smaller for seconds; by itself hypothesis stops after five minutes only."""
    monkeypatch.setattr(engine, "MAX_SHRINKING_SECONDS", SHRINKING_SECONDS)


Farm.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
TestFarm = Farm.TestCase
