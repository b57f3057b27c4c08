"""Who runs which test next: every test runs once, on a board that it fits, whatever workers do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from harness.scheduling.dispatch import Dispatcher, Orders

if TYPE_CHECKING:
    from collections.abc import Sequence

A, B, AB = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})


def dispatcher(boards_of: Sequence[frozenset[str] | None], **workers: str | None) -> Dispatcher[str]:
    """Make one with workers."""
    made: Dispatcher[str] = Dispatcher(boards_of)
    for worker, board in workers.items():
        made.add_worker(worker, board)
    return made


def test_two_tests_a_worker() -> None:
    """A worker gets two tests, and one more for each that it completes."""
    tests = dispatcher([A, A, A, A], w1="a")

    assert tests.give_orders() == {"w1": Orders((0, 1))}
    assert tests.give_orders() == {}
    tests.complete("w1", 0)
    assert tests.give_orders() == {"w1": Orders((2,))}
    assert tests.held_by("w1") == (1, 2)


def test_the_last_tests_are_spread() -> None:
    """Everybody gets a first test before anybody gets a second."""
    tests = dispatcher([AB, AB, AB, AB, AB], w1="a", w2="b", w3="a", w4="b")

    assert tests.give_orders() == {
        "w1": Orders((0, 4)),
        "w2": Orders((1,), shut_down=True),
        "w3": Orders((2,), shut_down=True),
        "w4": Orders((3,), shut_down=True),
    }


def test_shut_down_when_the_queue_is_empty() -> None:
    """A worker for which nothing is left is told so, once, with its last tests or after them."""
    tests = dispatcher([A, B, B], w1="a", w2="b")

    assert tests.give_orders() == {"w1": Orders((0,), shut_down=True), "w2": Orders((1, 2))}
    assert tests.give_orders() == {}
    tests.complete("w2", 1)
    assert tests.give_orders() == {"w2": Orders((), shut_down=True)}


def test_the_most_constrained_test_first() -> None:
    """A worker takes tests that only its board fits before those that others could run."""
    tests = dispatcher([None, None, AB, A, A], w1="a", w2="b", w3=None)

    assert tests.give_orders() == {
        "w1": Orders((3, 4)),
        "w2": Orders((2, 1)),
        "w3": Orders((0,), shut_down=True),
    }


def test_a_worker_without_a_board_gets_tests_without_a_board() -> None:
    """Extra workers help with what needs no board, and with nothing else."""
    tests = dispatcher([A, None, None, None], w1=None)

    assert tests.give_orders() == {"w1": Orders((1, 2))}
    assert 0 in tests.queued


def test_a_crashed_worker() -> None:
    """The test that ran is given up, the one behind it goes first to whoever comes for the board."""
    tests = dispatcher([A, A, A], w1="a")
    tests.give_orders()

    assert tests.retire("w1") == 0
    assert not tests.only_last_tests_left, "the replacement is still to come"
    tests.add_worker("w2", "a")
    assert tests.give_orders() == {"w2": Orders((1, 2))}
    assert tests.finished == {0}


def test_a_worker_that_ends_with_nothing_in_hand() -> None:
    """A worker that ends as it was told to has crashed in no test."""
    tests = dispatcher([], w1="a")
    assert tests.give_orders() == {"w1": Orders((), shut_down=True)}
    assert tests.retire("w1") is None
    assert not tests.has_unfinished


def test_a_crashed_test_may_be_put_back() -> None:
    """A plugin that runs crashed tests again gets this one run by the replacement."""
    tests = dispatcher([A], w1="a")
    tests.give_orders()
    tests.retire("w1")
    tests.put_back(0)

    tests.add_worker("w2", "a")
    assert tests.give_orders() == {"w2": Orders((0,), shut_down=True)}


def test_nobody_left_who_may_run_a_test() -> None:
    """A test put back when its workers have been told to end is no reason to wait for ever."""
    tests = dispatcher([A], w1="a")
    tests.give_orders()
    tests.complete("w1", 0)
    tests.put_back(0)

    assert tests.only_last_tests_left
    assert tests.queued == {0}


def test_a_worker_that_somebody_else_stops() -> None:
    """A session that is ended early gives out nothing more; what is queued stays queued."""
    tests = dispatcher([A, A, A, A], w1="a")
    tests.give_orders()
    tests.stop("w1")
    tests.complete("w1", 0)

    assert tests.give_orders() == {}
    assert tests.queued == {2, 3}


class Sessions(RuleBasedStateMachine):
    """Workers start, run, crash and are replaced, in any order."""

    @initialize(
        boards_of=st.lists(st.sampled_from([None, A, B, AB]), max_size=12),
        places=st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=4),
    )
    def begin(self, boards_of: list[frozenset[str] | None], places: list[str | None]) -> None:
        """Set up a session in which each test fits somebody."""
        places = [*places, "a", "b"]
        self.boards_of = boards_of
        self.tests: Dispatcher[int] = Dispatcher(boards_of)
        self.told_to_end: set[int] = set()
        self.ran: list[int] = []
        self.place: dict[int, str | None] = {}
        self.number = 0
        for place in places:
            self.join(place)

    def join(self, place: str | None) -> None:
        """Let a new worker take part."""
        self.tests.add_worker(self.number, place)
        self.place[self.number] = place
        self.number += 1
        self.tell_everybody()

    def tell_everybody(self) -> None:
        """Give orders as the scheduler does after each event."""
        for worker, orders in self.tests.give_orders().items():
            assert not (orders.tests and worker in self.told_to_end), "nothing follows the end"
            for index in orders.tests:
                assert self.boards_of[index] is None or self.place[worker] in (self.boards_of[index] or ())
            if orders.shut_down:
                self.told_to_end.add(worker)

    def runnable(self) -> list[int]:
        """Return the workers that xdist would let run a test."""
        return [
            worker
            for worker in self.tests.workers
            if len(self.tests.held_by(worker)) >= (1 if worker in self.told_to_end else 2)
        ]

    @precondition(lambda self: self.runnable())
    @rule(data=st.data())
    def run_one(self, data: st.DataObject) -> None:
        """A worker runs its first test to the end."""
        worker = data.draw(st.sampled_from(self.runnable()))
        index = self.tests.held_by(worker)[0]
        self.tests.complete(worker, index)
        self.ran.append(index)
        self.tell_everybody()

    @precondition(lambda self: self.runnable())
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """A worker crashes in a test and is replaced."""
        worker = data.draw(st.sampled_from(self.runnable()))
        crashed = self.tests.retire(worker)
        assert crashed is not None
        self.ran.append(crashed)
        self.told_to_end.discard(worker)
        self.tell_everybody()
        self.join(self.place[worker])

    @rule()
    def end(self) -> None:
        """Workers that ran everything they were given end as they were told to."""
        for worker in self.told_to_end.intersection(self.tests.workers):
            if not self.tests.held_by(worker):
                assert self.tests.retire(worker) is None

    @invariant()
    def every_test_is_in_one_place(self) -> None:
        """No test is lost and none runs twice."""
        held = [index for worker in self.tests.workers for index in self.tests.held_by(worker)]
        everywhere = [*held, *self.tests.queued, *self.ran]
        assert sorted(everywhere) == list(range(len(self.boards_of)))
        assert self.tests.finished == set(self.ran)

    @invariant()
    def it_goes_on_until_all_ran(self) -> None:
        """While a test is left, somebody can run one: a session never hangs."""
        if len(self.ran) < len(self.boards_of):
            assert self.runnable()
        else:
            assert not self.tests.has_unfinished
            assert self.tests.only_last_tests_left


Sessions.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSessions = Sessions.TestCase
