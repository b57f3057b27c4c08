"""Boards go, come back and come late: their tests go to others, wait, or are handed out for a report."""

from __future__ import annotations

from harness.scheduling.work import Assignment, Orders, Work
from tests.scheduling.farm import AB, ABC, NONE_YET, A, B, Turns, dispatcher, handed_out, works


def test_what_a_lost_board_had_not_begun_goes_to_its_equal() -> None:
    """The running test stays with its worker; the next one, revoked, is first in its equal's queue."""
    tests = dispatcher(works(*[AB] * 6, seconds=0.01), Turns(("w1", 0), ("w2", 0)), w1="a", w2="b")
    assert handed_out(tests.give_orders()) == {"w1": [0, 2], "w2": [1, 3]}

    tests.lose_board("a")

    assert tests.give_orders() == {}
    assert tests.held_by("w1") == (0,)
    tests.complete("w2", 1)
    assert handed_out(tests.give_orders()) == {"w2": [2]}
    tests.complete("w1", 0)
    assert tests.give_orders() == {}, "nothing for a board that is away, and no end either"
    assert tests.waiting == 0, "its equal is there"


def test_tests_of_the_lost_board_alone_wait_for_its_return() -> None:
    """The session does not end before; then the same worker goes on and passes over what was revoked."""
    tests = dispatcher(works(A, A, A, seconds=0.01), Turns(("w1", 0)), w1="a")
    tests.give_orders()

    tests.lose_board("a")
    tests.complete("w1", 0)

    assert tests.give_orders() == {}
    assert not tests.only_last_tests_left
    assert tests.waiting == 2
    assert tests.boards_without_worker() == []
    assert tests.take_hopeless() == ()

    tests.return_board("a")

    assert handed_out(tests.give_orders()) == {"w1": [1, 2]}, "the first of them once more"
    tests.complete("w1", 1)  # the worker passed over the one that was revoked
    assert tests.finished == {0}
    assert tests.held_by("w1") == (1, 2)
    tests.complete("w1", 1)
    assert tests.finished == {0, 1}


def test_tests_of_a_board_that_is_given_up_are_handed_out_for_a_report() -> None:
    """They come out once and count as finished; a test that fits another board too is not among them."""
    tests = dispatcher(works(A, A, AB, A), Turns(("w1", 0), ("w2", 0)), w1="a", w2="b")
    assert handed_out(tests.give_orders()) == {"w1": [0], "w2": [2]}
    tests.lose_board("a")
    tests.complete("w1", 0)

    tests.give_up_board("a")
    tests.give_up_board("b")  # which is there

    assert tests.take_hopeless() == (1, 3)
    assert tests.take_hopeless() == ()
    assert tests.finished == {0, 1, 3}
    assert tests.give_orders() == {"w1": Orders((), shut_down=True)}


def test_a_worker_whose_board_is_given_up_runs_what_needs_no_board() -> None:
    """It is there, after all."""
    tests = dispatcher(works(A, None, None), Turns(("w1", 0)), w1="a")
    tests.give_orders()
    tests.lose_board("a")
    tests.complete("w1", 0)
    assert tests.give_orders() == {}
    tests.give_up_board("a")
    assert handed_out(tests.give_orders()) == {"w1": [1]}


def test_a_worker_that_ends_keeps_what_needs_no_board() -> None:
    """It is going to run that, whatever becomes of its board; nobody else is there to do it."""
    tests = dispatcher(works(A, A, None, seconds=0.01), Turns(("w1", 0), ("w1", 1)), w1="a")
    tests.give_orders()
    tests.complete("w1", 0)
    tests.give_orders()
    tests.stop("w1")
    tests.lose_board("a")
    assert tests.held_by("w1") == (1, 2)


def test_a_loss_when_the_equals_have_ended() -> None:
    """Nobody is left who could take the tests over: a worker is started for the equal."""
    tests = dispatcher(
        [*works(A, AB), Work(boards=A, seconds=0.01), *works(AB, seconds=0.01)],
        Turns(("w1", 0), ("w1", 1), ("w2", 0)),
        w1="a",
        w2="b",
    )
    assert handed_out(tests.give_orders()) == {"w1": [0], "w2": [1]}
    tests.complete("w1", 0)
    assert handed_out(tests.give_orders()) == {"w1": [2, 3]}
    tests.complete("w2", 1)
    assert tests.give_orders() == {"w2": Orders((), shut_down=True)}
    assert tests.retire("w2") is None

    tests.lose_board("a")

    assert tests.queued == {3}
    assert tests.boards_without_worker() == ["b"]
    tests.expect("b")
    assert tests.boards_without_worker() == []
    assert not tests.only_last_tests_left
    tests.add_worker("w3", "b")
    assert tests.give_orders()["w3"] == Orders((Assignment(3),), shut_down=True)


def test_a_loss_after_the_end_was_told() -> None:
    """A worker that was told to end, and has not begun its last test, loses it to a new worker."""
    tests = dispatcher(works(A, A), Turns(("w1", 0)), w1="a")
    tests.give_orders()
    tests.complete("w1", 0)
    assert tests.give_orders() == {"w1": Orders((Assignment(1),), shut_down=True)}

    tests.lose_board("a")

    assert tests.boards_without_worker() == [], "not as long as the old one lives"
    assert not tests.only_last_tests_left
    tests.complete("w1", 1)
    assert tests.retire("w1") is None
    assert tests.queued == {1}
    assert tests.boards_without_worker() == ["a"], "ready when the board returns"


def test_a_board_that_comes_late() -> None:
    """It takes the tests that waited for one like it, and helps with others."""
    tests = dispatcher(works(A, A, A, A, NONE_YET), w1="a")
    assert handed_out(tests.give_orders()) == {"w1": [0]}
    assert tests.boards_without_worker() == []

    tests.add_board("late", "car", [2, 3, 4])

    assert tests.boards_without_worker() == ["late"]
    tests.add_worker("w2", "late")
    assert handed_out(tests.give_orders()) == {"w2": [4]}
    tests.complete("w2", 4)
    assert handed_out(tests.give_orders()) == {"w2": [2]}
    tests.complete("w1", 0)
    assert handed_out(tests.give_orders()) == {"w1": [1]}, "which fits nobody else"


def test_a_late_board_like_others() -> None:
    """It shares all of their tests, and those that take several boards."""
    work = [*works(AB, AB, ABC), Work(boards=AB, count=3)]
    tests = dispatcher(work, restarts=True, w1="a", w2="b")
    assert handed_out(tests.give_orders()) == {"w1": [0], "w2": [1]}
    assert tests.take_hopeless() == (), "there never were enough boards for it"

    tests.add_board("late", "car", [0, 1, 2, 3])
    tests.add_worker("w3", "late")
    orders = tests.give_orders()

    assert handed_out(orders) == {"w3": [2]}
    for worker, test in (("w1", 0), ("w2", 1), ("w3", 2)):
        tests.complete(worker, test)
        orders = tests.give_orders()
    tests.complete("w1", 3)
    tests.complete("w2", 3)
    assert tests.give_orders()["w3"].assignments == (Assignment(3, ("late", "a", "b")),)


def test_tests_that_fit_no_board_to_the_end() -> None:
    """They keep nobody from ending, and come out when they are asked for."""
    tests = dispatcher([*works(A, NONE_YET), Work(boards=AB, count=3)], w1="a")

    assert tests.give_orders() == {"w1": Orders((Assignment(0),), shut_down=True)}
    assert tests.only_last_tests_left
    assert tests.take_homeless() == (1, 2)
    assert tests.take_homeless() == ()
    tests.complete("w1", 0)
    assert not tests.has_unfinished
    assert tests.finished == {0, 1, 2}


def test_a_worker_that_dies_while_it_waits_has_crashed_in_no_test() -> None:
    """What it held and had not begun is run by its replacement."""
    tests = dispatcher(works(A, A), w1="a")
    tests.give_orders()

    assert tests.retire("w1") is None
    assert tests.queued == {0, 1}


def test_an_awaited_board_that_nobody_serves_gets_one_worker() -> None:
    """The worker that was started and died before it took part is wanted again."""
    tests = dispatcher(works(B))
    tests.lose_board("b")

    assert tests.boards_without_worker() == ["b"]
    tests.expect("b")
    assert tests.boards_without_worker() == []
    assert not tests.only_last_tests_left
    tests.expect_no_longer("b")
    assert tests.boards_without_worker() == ["b"]
    tests.give_up_board("b")
    assert tests.boards_without_worker() == []


def test_tests_without_a_board_wait_for_the_worker_that_is_expected() -> None:
    """And for nobody else."""
    tests = dispatcher(works(None), w1="a")
    tests.stop("w1")
    tests.expect(None)
    assert not tests.only_last_tests_left
    tests.expect_no_longer(None)
    tests.expect_no_longer(None)
    assert tests.only_last_tests_left


def test_without_a_board_it_comes_back_when_all_have_ended() -> None:
    """A test without a board that is run again after the last worker has ended gets a worker, once."""
    tests = dispatcher(works(None), kinds={"a": "car", "b": "car"}, restarts=True, w1="a", w2="b")
    tests.lose_board("a")
    runner = next(iter(handed_out(tests.give_orders())))
    tests.complete(runner, 0)
    tests.give_orders()
    tests.put_back(0)
    for worker in ("w1", "w2"):
        tests.stop(worker)
        assert tests.boards_without_worker() == [] or worker == "w2", "one is still there"
        tests.retire(worker)

    assert tests.boards_without_worker() == ["b"], "its board is there"
    tests.expect("b")
    assert tests.boards_without_worker() == []
    tests.add_worker("w3", "b")
    assert handed_out(tests.give_orders()) == {"w3": [0]}
