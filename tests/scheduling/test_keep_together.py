"""Tests that are kept together: in their order, one after the other, on one worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.scheduling.work import Assignment, Work
from tests.scheduling.farm import AB, ABC, A, B, C, Turns, dispatcher, handed_out, standing_by, works

if TYPE_CHECKING:
    from harness.scheduling.dispatch import Dispatcher


def group(*boards: frozenset[str] | None, seconds: float = 1.0, count: int = 1) -> list[Work]:
    """Make tests of one group."""
    return [Work(boards=each, group="g", seconds=seconds, count=count) for each in boards]


def run_out(tests: Dispatcher[str]) -> dict[str, list[int]]:
    """Run everything; return what each worker ran."""
    ran: dict[str, list[int]] = {}
    orders = tests.give_orders()
    while orders:
        for worker, given in handed_out(orders).items():
            for test in given:
                ran.setdefault(worker, []).append(test)
                tests.complete(worker, test)
        orders = tests.give_orders()
    return ran


@pytest.mark.parametrize("seconds", [0.01, 1.0])
def test_on_one_worker_in_their_order(seconds: float) -> None:
    """Although another worker is free, and other tests are longer than any of them."""
    work = [*group(AB, AB, AB, seconds=seconds), *works(AB, AB, AB, AB, seconds=2.0)]
    ran = run_out(dispatcher(work, w1="a", w2="b"))
    together = next(tests for tests in ran.values() if 0 in tests)
    begin = together.index(0)
    assert together[begin : begin + 3] == [0, 1, 2]
    assert sorted(test for tests in ran.values() for test in tests) == list(range(7))


def test_as_long_as_all_of_them() -> None:
    """A group is begun early when its tests are long together."""
    work = [*works(A, seconds=2.5), *group(A, A, A)]
    assert handed_out(dispatcher(work, w1="a").give_orders()) == {"w1": [1]}


def test_where_all_of_them_fit() -> None:
    """Tests without a board come along."""
    tests = dispatcher(group(AB, None, ABC, B | C), w1="a", w3="c", w2="b")
    assert run_out(tests) == {"w2": [0, 1, 2, 3]}


def test_a_group_without_boards() -> None:
    """Any worker does."""
    assert run_out(dispatcher(group(None, None), w1=None)) == {"w1": [0, 1]}


def test_a_crash_in_a_group() -> None:
    """The rest goes on together, before everything else, at whoever is free."""
    tests = dispatcher([*group(A, A, A), *works(A)], Turns(("w1", 0)), w1="a")
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    assert tests.queued == {1, 2, 3}
    assert tests.retire("w1") == 0
    tests.add_worker("w2", "a")
    assert run_out(tests) == {"w2": [1, 2, 3]}


def test_a_board_lost_in_a_group() -> None:
    """What was not begun goes on elsewhere, in its order, when the one that was begun is over."""
    tests = dispatcher([*group(AB, AB, AB, AB, seconds=0.01), *works(B)], Turns(("w1", 0)), w1="a")
    assert handed_out(tests.give_orders()) == {"w1": [0, 1]}
    tests.lose_board("a")
    tests.add_worker("w2", "b")
    assert run_out(tests) == {"w2": [4]}, "never two of a group at the same time"
    assert tests.queued == {1, 2, 3}
    tests.complete("w1", 0)
    assert run_out(tests) == {"w2": [1, 2, 3]}
    assert not tests.has_unfinished


def test_a_board_lost_that_was_not_fit_for_a_group() -> None:
    """The test that it had begun and declines comes first also where the group goes on."""
    tests = dispatcher(group(AB, AB, AB), Turns(("w1", 0)), w1="a")
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    tests.lose_board("a")
    tests.add_worker("w2", "b")
    assert run_out(tests) == {}
    tests.complete("w1", 0, declined=True)
    tests.return_board("a")
    assert run_out(tests) == {"w2": [0, 1, 2]}


def test_a_board_that_is_not_fit_for_a_group() -> None:
    """The whole rest goes elsewhere, and never comes back to it."""
    tests = dispatcher(group(AB, AB, AB), Turns(("w1", 0), ("w1", 1)), restarts=True, w1="a", w2="b")
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    tests.complete("w1", 0)
    assert handed_out(tests.give_orders()) == {"w1": [1]}
    tests.complete("w1", 1, declined=True)
    assert tests.queued == {1, 2}
    tests.retire("w2")
    assert tests.boards_without_worker() == ["b"]
    tests.add_worker("w3", "b")
    assert run_out(tests) == {"w3": [1, 2]}


def declining_two() -> Dispatcher[str]:
    """Let a board begin two of a group and decline the first, which is heard alone; a late board fits all."""
    turns = Turns(("w1", 0), ("w1", 1))
    tests = dispatcher(group(A, A, A, seconds=0.01), turns, restarts=True, w1="a")
    assert handed_out(tests.give_orders()) == {"w1": [0, 1]}
    tests.add_board("late", "car", [0, 1, 2])
    tests.complete("w1", 0, declined=True)
    tests.add_worker("w2", "late")
    assert run_out(tests) == {}
    assert tests.queued == {0, 2}
    assert not tests.only_last_tests_left
    return tests


def test_two_of_a_group_declined_before_it_is_heard() -> None:
    """The group goes on when both have come back, in its order."""
    tests = declining_two()
    tests.complete("w1", 1, declined=True)
    assert run_out(tests) == {"w2": [0, 1, 2]}


def test_one_of_two_declined() -> None:
    """The other was begun and runs, once; the rest goes on without it when it is over."""
    tests = declining_two()
    tests.complete("w1", 1)
    assert run_out(tests) == {"w2": [0, 2]}


def test_declined_in_a_group_and_run_again() -> None:
    """It does not come back to the board that declined it, also when it comes without its group."""
    tests = dispatcher(group(A, A), Turns(("w1", 0)), restarts=True, w1="a")
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    tests.add_board("late", "car", [0, 1])
    tests.complete("w1", 0, declined=True)
    tests.add_worker("w2", "late")
    assert handed_out(tests.give_orders()) == {"w2": [0]}
    tests.complete("w2", 0)
    assert not tests.may_run_elsewhere(0, "late")
    tests.put_back(0)
    assert run_out(tests) == {"w2": [1, 0]}


@pytest.mark.parametrize("away", [False, True])
def test_two_declined_and_run_again(*, away: bool) -> None:
    """The same of both, whether or not their board was away meanwhile."""
    tests = declining_two()
    if away:
        tests.lose_board("a")
    tests.complete("w1", 1, declined=True)
    if away:
        tests.return_board("a")
    assert handed_out(tests.give_orders()) == {"w2": [0, 1]}
    tests.complete("w2", 0)
    assert not tests.may_run_elsewhere(0, "late")
    tests.put_back(0)
    tests.complete("w2", 1)
    tests.put_back(1)
    assert run_out(tests) == {"w2": [2, 1, 0]}


def test_one_of_a_group_runs_again() -> None:
    """It comes alone: the group goes on without it."""
    tests = dispatcher([*group(AB, AB, AB)], restarts=True, w1="a")
    tests.give_orders()
    tests.complete("w1", 0)
    tests.put_back(0, not_on="a")
    tests.add_worker("w2", "b")
    assert run_out(tests) == {"w1": [1, 2], "w2": [0]}


def test_a_worker_that_is_told_to_end_in_a_group() -> None:
    """The rest is not lost."""
    tests = dispatcher(group(A, A), w1="a")
    tests.give_orders()
    tests.stop("w1")
    tests.complete("w1", 0)
    assert tests.give_orders() == {}
    assert tests.queued == {1}


def test_a_group_on_several_boards() -> None:
    """Its boards stay reserved from the first of its tests to the last."""
    tests = dispatcher([*group(AB, AB, count=2), *works(B)], w1="a", w2="b")
    assert standing_by(tests.give_orders()) == {"w2": 0}
    tests.complete("w2", 0)
    assert tests.give_orders()["w1"].assignments == (Assignment(0, ("a", "b")),)
    tests.complete("w1", 0)
    assert tests.give_orders()["w1"].assignments == (Assignment(1, ("a", "b")),)
    tests.complete("w1", 1)
    assert handed_out(tests.give_orders()) == {"w2": [2]}


def test_a_late_board_for_a_group() -> None:
    """It has to fit all of them."""
    tests = dispatcher(group(frozenset(), frozenset()))
    tests.add_board("late", "car", [0])
    tests.add_worker("w1", "late")
    assert handed_out(tests.give_orders()) == {}
    tests.add_board("later", "car", [0, 1])
    tests.add_worker("w2", "later")
    assert run_out(tests) == {"w2": [0, 1]}
