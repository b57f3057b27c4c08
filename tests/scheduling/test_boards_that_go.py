"""Boards go, come back and come late: every test runs once or is reported once, whatever happens when."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from harness.scheduling.dispatch import Dispatcher, Orders

A, B, AB, NONE_YET = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"}), frozenset[str]()


class Turns:
    """What workers began, and what was revoked before they did: the first who says it for a turn is right."""

    def __init__(self, *begun: tuple[str, int]) -> None:
        self.said: dict[tuple[object, int], str] = dict.fromkeys(begun, "begun")

    def revoke(self, worker: object, turn: int) -> bool:
        return self.said.setdefault((worker, turn), "revoked") == "revoked"

    def begin(self, worker: object, turn: int) -> bool:
        return self.said.setdefault((worker, turn), "begun") == "begun"


def test_what_a_lost_board_had_not_begun_goes_to_its_equal() -> None:
    """The running test stays with its worker; the next one, revoked, is first in its equal's queue."""
    tests: Dispatcher[str] = Dispatcher([AB] * 6, Turns(("w1", 0), ("w2", 0)).revoke)
    tests.add_worker("w1", "a")
    tests.add_worker("w2", "b")
    assert tests.give_orders() == {"w1": Orders((0, 2)), "w2": Orders((1, 3))}

    tests.lose_board("a")

    assert tests.give_orders() == {}
    assert tests.held_by("w1") == (0,)
    tests.complete("w2", 1)
    assert tests.give_orders() == {"w2": Orders((2,))}
    tests.complete("w1", 0)
    assert tests.give_orders() == {}, "nothing for a board that is away, and no end either"


def test_tests_of_the_lost_board_alone_wait_for_its_return() -> None:
    """The session does not end before; then the same worker goes on and passes over what was revoked."""
    tests: Dispatcher[str] = Dispatcher([A, A, A], Turns(("w1", 0)).revoke)
    tests.add_worker("w1", "a")
    tests.give_orders()

    tests.lose_board("a")
    tests.complete("w1", 0)

    assert tests.give_orders() == {}
    assert not tests.only_last_tests_left
    assert tests.boards_without_worker() == []
    assert tests.take_hopeless() == ()

    tests.return_board("a")

    assert tests.give_orders() == {"w1": Orders((1, 2))}, "the first of them once more"
    tests.complete("w1", 1)  # the worker passed over the one that was revoked
    assert tests.finished == {0}
    assert tests.held_by("w1") == (1, 2)
    tests.complete("w1", 1)
    assert tests.finished == {0, 1}


def test_tests_of_a_board_that_is_given_up_are_handed_out_for_a_report() -> None:
    """They come out once and count as finished; a test that fits another board too is not among them."""
    tests: Dispatcher[str] = Dispatcher([A, A, AB, A, None], Turns(("w1", 0), ("w2", 0)).revoke)
    tests.add_worker("w1", "a")
    tests.add_worker("w2", "b")
    assert tests.give_orders() == {"w1": Orders((0, 1)), "w2": Orders((2, 4))}
    tests.lose_board("a")
    tests.complete("w1", 0)

    tests.give_up_board("a")

    assert tests.take_hopeless() == (1, 3)
    assert tests.take_hopeless() == ()
    assert tests.finished == {0, 1, 3}
    assert tests.give_orders() == {"w1": Orders((), shut_down=True)}


def test_a_loss_when_the_equals_have_ended() -> None:
    """Nobody is left who could take the tests over: a worker is started for the equal."""
    tests: Dispatcher[str] = Dispatcher([A, AB, AB], Turns(("w1", 0), ("w2", 0)).revoke)
    tests.add_worker("w1", "a")
    tests.add_worker("w2", "b")
    assert tests.give_orders() == {"w1": Orders((0, 2)), "w2": Orders((1,), shut_down=True)}
    tests.complete("w2", 1)
    assert tests.retire("w2") is None

    tests.lose_board("a")

    assert tests.boards_without_worker() == ["b"]
    tests.expect("b")
    assert tests.boards_without_worker() == []
    assert not tests.only_last_tests_left
    tests.add_worker("w3", "b")
    assert tests.give_orders()["w3"] == Orders((2,), shut_down=True)


def test_a_loss_after_the_end_was_told() -> None:
    """A worker that was told to end, and has not begun its last test, loses it to a new worker."""
    tests: Dispatcher[str] = Dispatcher([A, A], Turns(("w1", 0)).revoke)
    tests.add_worker("w1", "a")
    tests.give_orders()
    tests.complete("w1", 0)
    assert tests.give_orders() == {"w1": Orders((), shut_down=True)}

    tests.lose_board("a")

    assert tests.boards_without_worker() == [], "not as long as the old one lives"
    assert not tests.only_last_tests_left
    tests.complete("w1", 1)
    assert tests.retire("w1") is None
    assert tests.queued == {1}
    assert tests.boards_without_worker() == ["a"], "ready when the board returns"


def test_a_board_that_comes_late() -> None:
    """It takes the tests that waited for one like it, and helps with others."""
    tests: Dispatcher[str] = Dispatcher([A, A, A, A, NONE_YET])
    tests.add_worker("w1", "a")
    assert tests.give_orders() == {"w1": Orders((0, 1))}
    assert tests.boards_without_worker() == []

    tests.add_board("c", [2, 3, 4])

    assert tests.boards_without_worker() == ["c"]
    tests.add_worker("w2", "c")
    assert tests.give_orders() == {"w2": Orders((4, 2))}


def test_tests_that_fit_no_board_to_the_end() -> None:
    """They keep nobody from ending, and come out when they are asked for."""
    tests: Dispatcher[str] = Dispatcher([A, NONE_YET])
    tests.add_worker("w1", "a")

    assert tests.give_orders() == {"w1": Orders((0,), shut_down=True)}
    assert tests.only_last_tests_left
    assert tests.take_homeless() == (1,)
    assert tests.take_homeless() == ()
    tests.complete("w1", 0)
    assert not tests.has_unfinished
    assert tests.finished == {0, 1}


def test_a_worker_that_dies_while_it_waits_has_crashed_in_no_test() -> None:
    """What it held and had not begun is run by its replacement."""
    tests: Dispatcher[str] = Dispatcher([A, A], Turns().revoke)
    tests.add_worker("w1", "a")
    tests.give_orders()

    assert tests.retire("w1") is None
    assert tests.queued == {0, 1}


def test_an_awaited_board_that_nobody_serves_gets_no_second_worker() -> None:
    """The worker that was started and died before it took part is wanted again."""
    tests: Dispatcher[str] = Dispatcher([A])
    tests.lose_board("a")

    assert tests.boards_without_worker() == ["a"]
    tests.expect("a")
    assert tests.boards_without_worker() == []
    tests.expect_no_longer("a")
    assert tests.boards_without_worker() == ["a"]


@dataclass
class Worker:
    """A worker of xdist: it begins a test when it knows the next one, or that there is none."""

    board: str | None
    inbox: deque[tuple[int, int]] = field(default_factory=deque)
    turns: int = 0
    told_to_end: bool = False
    running: tuple[int, int] | None = None
    dead: bool = False

    @property
    def may_go_on(self) -> bool:
        if self.dead or self.running is not None:
            return not self.dead
        return self.told_to_end or len(self.inbox) >= 2


class Hotplug(RuleBasedStateMachine):
    """Workers run, crash and are started, boards go, come back, are given up and come late, in any order.

    What workers say arrives later, in order, as it does in xdist.
    """

    @initialize(
        boards_of=st.lists(st.sampled_from([None, A, B, AB, NONE_YET]), max_size=10),
        extra=st.lists(st.just(None), max_size=1),
    )
    def begin(self, boards_of: list[frozenset[str] | None], extra: list[None]) -> None:
        """Start a session on two boards."""
        self.turns = Turns()
        self.tests: Dispatcher[int] = Dispatcher(boards_of, self.turns.revoke, restarts=True)
        self.number = len(boards_of)
        self.fits = dict(enumerate(boards_of))
        self.workers: dict[int, Worker] = {}
        self.started: list[str | None] = ["a", "b", *extra]
        self.mail: deque[tuple[str, int, int]] = deque()
        self.ran: list[int] = []
        self.reported: list[int] = []
        self.away: set[str] = set()
        self.late = ["c", "d"]
        self.serial = 0
        for board in self.started:
            self.tests.expect(board)
        while self.started:
            self.join()

    def look(self) -> None:
        """Do what the scheduler does after each event."""
        hopeless = self.tests.take_hopeless()
        assert all((self.fits[index] or self.away) <= self.away for index in hopeless)
        self.reported += hopeless
        for number, orders in self.tests.give_orders().items():
            worker = self.workers[number]
            assert not (orders.tests and worker.told_to_end), "nothing follows the end"
            for index in orders.tests:
                boards = self.fits[index]
                assert boards is None or worker.board in boards
                assert worker.board not in self.tests.queues.awaited, "nothing for a board that is away"
                worker.inbox.append((index, worker.turns))
                worker.turns += 1
            worker.told_to_end |= orders.shut_down
        for board in self.tests.boards_without_worker():
            living = [self.workers[number].board for number in self.tests.workers]
            assert board not in [*living, *self.started], "never two workers on one board"
            self.tests.expect(board)
            self.started.append(board)

    @precondition(lambda self: self.started)
    @rule()
    def join(self) -> None:
        """A worker that was started takes part."""
        board = self.started.pop(0)
        self.workers[self.serial] = Worker(board)
        self.tests.add_worker(self.serial, board)
        self.serial += 1
        self.look()

    def active(self) -> list[int]:
        """Return the workers that can go on."""
        return [number for number, worker in self.workers.items() if worker.may_go_on]

    @precondition(lambda self: self.active())
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """A worker begins a test, passes over one, ends the one that it runs, or ends as it was told to."""
        self._go_on(data.draw(st.sampled_from(self.active())))

    def _go_on(self, number: int) -> None:
        worker = self.workers[number]
        if worker.running is not None:
            self.mail.append(("complete", number, worker.running[0]))
            worker.running = None
            return
        if not worker.inbox:
            worker.dead = True
            self.mail.append(("end", number, -1))
            return
        index, turn = worker.inbox.popleft()
        if self.turns.begin(number, turn):
            worker.running = index, turn
            self.ran.append(index)
        else:
            self.mail.append(("complete", number, index))

    @precondition(lambda self: any(not worker.dead for worker in self.workers.values()))
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker crashes."""
        number = data.draw(st.sampled_from([n for n, worker in self.workers.items() if not worker.dead]))
        self.workers[number].dead = True
        self.workers[number].running = None
        self.mail.append(("crash", number, -1))

    @precondition(lambda self: self.mail)
    @rule()
    def hear(self) -> None:
        """The controller hears what a worker said first."""
        what, number, index = self.mail.popleft()
        if what == "complete":
            self.tests.complete(number, index)
        else:
            crashed = self.tests.retire(number)
            worker = self.workers.pop(number)
            assert what == "crash" or crashed is None
            if what == "crash":  # xdist starts a replacement at once
                self.started.append(worker.board)
                self.tests.expect(worker.board)
        self.look()

    @rule(board=st.sampled_from("abcd"))
    def lose(self, board: str) -> None:
        """A board goes away."""
        if board not in self.away and board not in self.late:
            self.away.add(board)
            self.tests.lose_board(board)
            self.look()

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        """A board comes back, perhaps when nobody waits for it any more."""
        board = data.draw(st.sampled_from(sorted(self.away)))
        self.away.discard(board)
        self.tests.return_board(board)
        self.look()

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        """The deadline for a return passes."""
        self.tests.give_up_board(data.draw(st.sampled_from(sorted(self.away))))
        self.look()

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def come_late(self, data: st.DataObject) -> None:
        """A new board comes, and fits some of the tests."""
        board = self.late.pop()
        with_board = [index for index, boards in self.fits.items() if boards is not None]
        fitting = data.draw(st.sets(st.sampled_from(with_board))) if with_board else set()
        for index in fitting:
            self.fits[index] = (self.fits[index] or NONE_YET) | {board}
        self.tests.add_board(board, fitting)
        self.look()

    @invariant()
    def every_test_is_in_one_place(self) -> None:
        """No test is lost, none runs twice, none that ran is reported as given up."""
        held = [index for worker in self.tests.workers for index in self.tests.held_by(worker)]
        everywhere = [*held, *self.tests.queued, *self.tests.finished]
        assert sorted(everywhere) == list(range(self.number))
        assert len(set(self.ran)) == len(self.ran)
        assert not set(self.ran).intersection(self.reported)
        assert set(self.reported) <= self.tests.finished

    @invariant()
    def it_goes_on_until_all_ran(self) -> None:
        """While a test is left, somebody can do something about it: a session never hangs or ends early."""
        left = {index for index in range(self.number) if self.fits[index] != NONE_YET} - self.tests.finished
        if left:
            awaited = self.tests.queues.awaited
            assert self.active() or self.mail or self.started or awaited, left
            if not self.active() and not self.mail:
                assert not self.tests.only_last_tests_left
        elif not self.mail and not self.active():
            assert self.tests.only_last_tests_left

    def teardown(self) -> None:
        """However far it went, it comes to an end in which every test ran, was reported or fits nobody."""
        if not hasattr(self, "tests"):
            return
        for board in self.away:
            self.tests.give_up_board(board)
        self.look()
        while self.mail or self.started or self.active():
            if self.mail:
                self.hear()
            elif self.started:
                self.join()
            else:
                self._go_on(self.active()[0])
        homeless = self.tests.take_homeless()
        assert self.tests.finished == set(range(self.number))
        assert not self.tests.has_unfinished
        assert all(self.fits[index] == NONE_YET for index in homeless)


Hotplug.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHotplug = Hotplug.TestCase
