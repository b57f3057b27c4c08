"""Tests that take several boards: all of them free, nobody waiting for each other, little waiting at all."""

from __future__ import annotations

from harness.scheduling.work import Assignment, Work
from tests.scheduling.farm import (
    AB,
    ABC,
    A,
    B,
    C,
    Turns,
    dispatcher,
    ending,
    handed_out,
    standing_by,
    works,
)


def test_the_others_stand_by_before_it_begins() -> None:
    """Its runner begins when all others have freed their boards; when it is over all go on."""
    tests = dispatcher([Work(boards=ABC, count=3), *works(A, B, C)], w1="a", w2="b", w3="c")
    orders = tests.give_orders()
    assert standing_by(orders) == {"w2": 0, "w3": 0}
    assert handed_out(orders) == {}
    assert tests.held_by("w2") == (), "it does not run it"
    assert tests.queued == {0, 1, 2, 3}

    tests.complete("w2", 0)
    assert tests.give_orders() == {}
    tests.complete("w3", 0)
    assert tests.give_orders()["w1"].assignments == (Assignment(0, ("a", "b", "c")),)
    assert tests.test_on("c") == tests.test_on("a") == 0
    assert not ending(tests.give_orders()), "their boards are wanted afterwards"

    tests.complete("w1", 0)
    assert handed_out(tests.give_orders()) == {"w1": [1], "w2": [2], "w3": [3]}
    assert tests.test_on("c") == 3


def test_the_runners_own_board_is_first_the_others_in_their_order() -> None:
    """Whatever board it is."""
    tests = dispatcher([Work(boards=ABC, count=3)], w3="c", w2="b", w1="a")
    tests.give_orders()
    tests.complete("w1", 0)
    tests.complete("w2", 0)
    assert tests.give_orders()["w3"].assignments == (Assignment(0, ("c", "a", "b")),)


def test_a_board_without_a_worker_is_free() -> None:
    """Nobody has to stand by for it; who comes for it meanwhile gets nothing until the test is over."""
    tests = dispatcher([Work(boards=AB, count=2), *works(B, B)], w1="a")
    assert tests.give_orders()["w1"].assignments == (Assignment(0, ("a", "b")),)
    assert tests.boards_without_worker() == ["b"]
    tests.add_worker("w2", "b")
    assert tests.give_orders() == {}
    tests.complete("w1", 0)
    assert handed_out(tests.give_orders()) == {"w2": [1]}


def test_two_that_want_the_same_boards_do_not_wait_for_each_other() -> None:
    """Boards are reserved all at once: the second comes when the first is over."""
    work = [*works(A, B), Work(boards=AB, count=2, seconds=5.0), Work(boards=AB, count=2, seconds=4.0)]
    tests = dispatcher(work, w1="a", w2="b")
    ran: list[int] = []
    inbox: dict[str, tuple[Assignment, ...]] = {"w1": (), "w2": ()}
    for _ in range(20):
        for worker, orders in tests.give_orders().items():
            inbox[worker] = (*inbox[worker], *orders.assignments)
        for worker, assignments in inbox.items():
            if assignments:
                ran += [] if assignments[0].stands_by else [assignments[0].test]
                tests.complete(worker, assignments[0].test)
                inbox[worker] = assignments[1:]
    assert sorted(ran) == [0, 1, 2, 3]
    assert ran.index(2) < ran.index(3), "the larger one first"
    assert not tests.has_unfinished


def test_what_is_short_enough_is_done_meanwhile() -> None:
    """A board that waits for another one does what is over before that is free, and nothing longer."""
    work = [
        *works(B, seconds=4.0),
        Work(boards=AB, count=2, seconds=6.0),
        *works(A, seconds=4.5),
        *works(A, seconds=0.4),
    ]
    tests = dispatcher(work, w2="b", w1="a")
    tests.lose_board("a")
    assert handed_out(tests.give_orders(0.0)) == {"w2": [0]}
    tests.return_board("a")
    assert handed_out(tests.give_orders(0.0)) == {"w1": [3]}, "b is free at 4"
    tests.complete("w1", 3)
    assert tests.give_orders(0.4) == {}, "the other one would take until 4.9"
    tests.complete("w2", 0)
    assert standing_by(tests.give_orders(4.0)) == {"w2": 1}
    tests.complete("w2", 1)
    assert handed_out(tests.give_orders(4.0)) == {"w1": [1]}


def test_flexible_ones_keep_off_pressed_boards() -> None:
    """Boards are chosen where there is room for the whole of it."""
    kinds = {"a": "car", "b": "car", "c": "boat", "d": "boat", "e": "boat"}
    everywhere = frozenset(kinds)
    work = [
        Work(boards=everywhere, count=2, seconds=3.0),
        *works(AB, AB, AB, AB, seconds=3.0),
        *works(C | {"d", "e"}),
    ]
    tests = dispatcher(work, kinds=kinds, w1="a", w2="b", w3="c", w4="d", w5="e")
    orders = tests.give_orders()
    assert handed_out(orders)["w1"] == [1]
    assert handed_out(orders)["w2"] == [2]
    assert set(standing_by(orders)) < {"w3", "w4", "w5"}


# -- what goes wrong ----------------------------------------------------------------------------------------


def test_the_runner_crashes_in_it() -> None:
    """The test is over, and all its boards are free."""
    tests = dispatcher([Work(boards=AB, count=2), *works(B)], Turns(("w1", 0)), w1="a", w2="b")
    tests.give_orders()
    tests.complete("w2", 0)
    tests.give_orders()
    assert tests.retire("w1") == 0
    assert handed_out(tests.give_orders()) == {"w2": [1]}


def test_the_runner_crashes_before_it() -> None:
    """The boards are released, the test is run by whoever comes."""
    tests = dispatcher([Work(boards=AB, count=2)], restarts=True, w1="a", w2="b")
    tests.give_orders()
    assert tests.retire("w1") is None
    tests.complete("w2", 0)
    assert tests.give_orders()["w2"].assignments == (Assignment(0, ("b", "a")),)


def test_another_worker_crashes_while_it_stands_by() -> None:
    """Its board is free all the more; whoever replaces it leaves it alone."""
    tests = dispatcher([Work(boards=AB, count=2), *works(B)], w1="a", w2="b")
    tests.give_orders()
    assert tests.retire("w2") is None, "it crashed in no test"
    tests.add_worker("w3", "b")
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    tests.complete("w1", 0)
    assert handed_out(tests.give_orders()) == {"w3": [1]}


def test_another_worker_declines_to_stand_by() -> None:
    """Its board is not fit: the test takes others."""
    tests = dispatcher([Work(boards=ABC, count=2), *works(C, C)], w1="a", w2="b", w3="c")
    assert standing_by(tests.give_orders()) == {"w2": 0}
    tests.complete("w2", 0, declined=True)
    tests.give_orders()
    tests.complete("w3", 1)
    assert standing_by(tests.give_orders()) == {"w3": 0}
    tests.complete("w3", 0)
    assert tests.give_orders()["w1"].assignments == (Assignment(0, ("a", "c")),)


def test_a_board_goes_away_before_it_begins() -> None:
    """The test takes others, or waits."""
    tests = dispatcher([Work(boards=AB, count=2)], w1="a", w2="b")
    tests.give_orders()
    tests.lose_board("b")
    tests.complete("w2", 0)
    assert tests.give_orders() == {}
    assert tests.waiting == 1
    assert not tests.only_last_tests_left
    tests.return_board("b")
    assert standing_by(tests.give_orders()) == {"w1": 0} or standing_by(tests.give_orders()) == {"w2": 0}


def test_a_board_goes_away_when_it_was_sent() -> None:
    """As long as it has not begun it is taken back, wherever it was to run."""
    tests = dispatcher([Work(boards=AB, count=2), *works(A)], w1="a", w2="b")
    tests.give_orders()
    tests.complete("w2", 0)
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    tests.lose_board("b")
    assert tests.held_by("w1") == ()
    assert handed_out(tests.give_orders()) == {"w1": [1]}
    tests.give_up_board("b")
    assert tests.take_hopeless() == (0,)


def test_a_board_goes_away_under_it() -> None:
    """It runs on, and says itself what it makes of that."""
    tests = dispatcher([Work(boards=AB, count=2)], Turns(("w1", 0)), w1="a", w2="b")
    tests.give_orders()
    tests.complete("w2", 0)
    tests.give_orders()
    tests.lose_board("b")
    assert tests.held_by("w1") == (0,)
    tests.complete("w1", 0)
    assert tests.finished == {0}


def test_the_time_is_over_while_boards_are_gathered() -> None:
    """It is not begun."""
    tests = dispatcher([Work(boards=AB, count=2)], w1="a", w2="b")
    tests.give_orders()
    tests.end()
    tests.complete("w2", 0)
    assert ending(tests.give_orders()) == {"w1", "w2"}
    assert tests.queued == {0}


def test_it_runs_again_on_other_boards() -> None:
    """Without the one that it is not to be run on."""
    tests = dispatcher([Work(boards=ABC, count=2)], restarts=True, w1="a", w2="b", w3="c")
    orders = tests.give_orders()
    assert standing_by(orders) == {"w2": 0}
    tests.complete("w2", 0)
    tests.give_orders()
    assert tests.may_run_elsewhere(0, "b")
    tests.complete("w1", 0)
    tests.put_back(0, not_on="b")
    assert set(standing_by(tests.give_orders())) <= {"w1", "w3"}
