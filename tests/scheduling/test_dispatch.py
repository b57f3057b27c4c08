"""Who runs which test next: the longest first, where it fits, and nothing that another board needs more."""

from __future__ import annotations

import pytest

from harness.scheduling.work import Assignment, Orders, Work
from tests.scheduling.farm import AB, ABC, A, B, C, Turns, dispatcher, ending, handed_out, works


def given(*tests: int, shut_down: bool = False) -> Orders:
    """Return the orders to run tests."""
    return Orders(tuple(Assignment(test) for test in tests), shut_down=shut_down)


def test_one_test_at_a_time() -> None:
    """A worker gets its next test when it has completed one: until then more may become known."""
    tests = dispatcher(works(A, A, A), w1="a")

    assert tests.give_orders() == {"w1": given(0)}
    assert tests.give_orders() == {}
    tests.complete("w1", 0)
    assert tests.give_orders() == {"w1": given(1)}
    assert tests.held_by("w1") == (1,)
    assert tests.finished == {0}
    assert tests.queued == {2}


def test_a_second_one_behind_a_brief_one() -> None:
    """Tests of milliseconds do not wait for the controller between two of them, others do."""
    tests = dispatcher(works(A, A, A, seconds=0.01), w1="a")
    assert tests.give_orders() == {"w1": given(0, 1)}
    tests.complete("w1", 0)
    assert tests.give_orders() == {"w1": given(2)}
    tests.complete("w1", 1)
    assert tests.give_orders() == {"w1": given(shut_down=True)}


def test_the_last_tests_are_spread() -> None:
    """Everybody gets a first test before anybody gets a second; who gets nothing more is told so."""
    tests = dispatcher(works(AB, AB, AB, seconds=0.01), w1="a", w2="b")

    assert tests.give_orders() == {"w1": given(0, 2), "w2": given(1, shut_down=True)}


def test_shut_down_when_nothing_is_left() -> None:
    """A worker for which nothing is left is told so, once, with its last test."""
    tests = dispatcher(works(A, B, B), w1="a", w2="b")

    assert tests.give_orders() == {"w1": given(0, shut_down=True), "w2": given(1)}
    assert tests.give_orders() == {}
    tests.complete("w2", 1)
    assert tests.give_orders() == {"w2": given(2, shut_down=True)}


def test_the_longest_first() -> None:
    """Whatever the order of collection; equals stay in it."""
    seconds = [1.0, 3.0, 2.0, 3.0]
    tests = dispatcher([Work(boards=A, seconds=each) for each in seconds], w1="a")
    order = []
    while tests.has_unfinished:
        for test in handed_out(tests.give_orders()).get("w1", []):
            order.append(test)
            tests.complete("w1", test)
    assert order == [1, 3, 2, 0]


def test_the_longest_on_this_kind_of_board() -> None:
    """What a test takes on another kind does not count where it is known for this one."""
    work = [
        Work(boards=ABC, seconds={"car": 1.0, "boat": 9.0}),
        Work(boards=ABC, seconds={"car": 5.0, "boat": 0.5}),
        Work(boards=ABC, seconds={"car": 3.0, "boat": 2.0}),
    ]
    tests = dispatcher(work, w1="a", w3="c")

    assert handed_out(tests.give_orders()) == {"w1": [1], "w3": [0]}


@pytest.mark.parametrize("boats", [("c",), ("c", "d")])
def test_a_flexible_test_leaves_the_boards_to_those_that_need_them(boats: tuple[str, ...]) -> None:
    """Although it is the longest: the other boards can do it as well, and are done sooner."""
    kinds = {"a": "car", "b": "car", **dict.fromkeys(boats, "boat")}
    need_boats = works(*[frozenset(boats)] * 9, seconds=2.0)
    work = [Work(boards=frozenset(kinds), seconds=3.0), *need_boats, *works(A, B)]
    tests = dispatcher(work, kinds=kinds)
    for board in (*boats, "a", "b"):
        tests.add_worker(board, board)

    first = handed_out(tests.give_orders())

    assert first == {"a": [0], "b": [11], "c": [1], **({"d": [2]} if "d" in boats else {})}


def test_a_flexible_test_goes_where_time_is_left() -> None:
    """A board that is done with its own helps others."""
    tests = dispatcher(works(C, ABC, ABC, ABC), w3="c", w1="a")
    first = handed_out(tests.give_orders())
    assert first == {"w3": [0], "w1": [1]}
    tests.complete("w3", 0)
    assert handed_out(tests.give_orders(1.0)) == {"w3": [2]}


def test_nobody_idles_because_others_would_be_better() -> None:
    """With nothing else to do a board does what it can."""
    work = [Work(boards=ABC, seconds=4.0), *works(A, A, A, A, A, A)]
    tests = dispatcher(work, w1="a", w3="c")

    assert handed_out(tests.give_orders()) == {"w1": [1], "w3": [0]}
    alone = dispatcher(works(AB, B, B, B, B), w1="a", w2="b")
    assert handed_out(alone.give_orders())["w1"] == [0]


def test_of_equals_the_most_constrained_first() -> None:
    """Tests that only its board fits come before those that others could run, and those without a board."""
    tests = dispatcher(works(None, None, AB, A, A), w1="a", w2="b", w3=None)

    assert handed_out(tests.give_orders()) == {"w1": [3], "w2": [2], "w3": [0]}


def test_a_worker_without_a_board_gets_tests_without_a_board() -> None:
    """Extra workers help with what needs no board, and with nothing else."""
    tests = dispatcher(works(A, None), w1=None)

    assert tests.give_orders() == {"w1": given(1, shut_down=True)}
    assert tests.queued == {0}


def test_a_crashed_worker() -> None:
    """The test that ran is over, the one behind it goes first to whoever comes for the board."""
    tests = dispatcher(works(A, A, A, seconds=0.01), Turns(("w1", 0)), w1="a")
    tests.give_orders()

    assert tests.retire("w1") == 0
    assert not tests.only_last_tests_left, "the replacement is still to come"
    tests.add_worker("w2", "a")
    assert handed_out(tests.give_orders()) == {"w2": [1, 2]}
    assert tests.finished == {0}


def test_a_worker_that_ends_with_nothing_in_hand() -> None:
    """A worker that ends as it was told to has crashed in no test."""
    tests = dispatcher([], w1="a")
    assert tests.give_orders() == {"w1": given(shut_down=True)}
    assert tests.retire("w1") is None
    assert not tests.has_unfinished


def test_nobody_left_who_may_run_a_test() -> None:
    """A test put back when its workers have been told to end is no reason to wait for ever."""
    tests = dispatcher(works(A), w1="a")
    tests.give_orders()
    tests.complete("w1", 0)
    tests.put_back(0)

    assert tests.only_last_tests_left
    assert tests.queued == {0}


def test_a_worker_that_somebody_else_stops() -> None:
    """A session that is ended early gives out nothing more; what is queued stays queued."""
    tests = dispatcher(works(A, A, A), w1="a")
    tests.give_orders()
    tests.stop("w1")
    tests.complete("w1", 0)

    assert tests.give_orders() == {}
    assert tests.queued == {1, 2}


def test_a_second_worker_on_a_board_waits_for_the_first_to_end() -> None:
    """Two workers never use one board."""
    tests = dispatcher(works(A, A, A), Turns(("w1", 0)), w1="a", w2="a")
    assert tests.give_orders() == {"w1": given(0)}
    assert tests.retire("w1") == 0
    assert tests.give_orders() == {"w2": given(1)}


def test_the_end_of_time() -> None:
    """What was not begun is taken back, and everybody is told to end; what runs may end."""
    turns = Turns(("w1", 0))
    tests = dispatcher(works(A, A, A, B, seconds=0.01), turns, w1="a", w2="b")
    tests.give_orders()

    tests.end()

    assert tests.held_by("w1") == (0,)
    assert tests.queued == {1, 2, 3}
    assert ending(tests.give_orders()) == {"w1"}, "w2 knows already"
    tests.complete("w1", 0)
    assert tests.give_orders() == {}
    assert tests.only_last_tests_left
    assert tests.finished == {0}
    assert not tests.may_run_elsewhere(1, "b")
    assert tests.boards_without_worker() == []


# -- declined, and run again --------------------------------------------------------------------------------


def test_a_declined_test_goes_to_another_board() -> None:
    """The board that declined it never gets it again."""
    tests = dispatcher(works(AB, A, B), w1="a", w2="b")
    assert handed_out(tests.give_orders()) == {"w1": [1], "w2": [2]}
    tests.complete("w1", 1)
    assert handed_out(tests.give_orders()) == {"w1": [0]}

    tests.complete("w1", 0, declined=True)

    assert tests.queued == {0}
    assert tests.give_orders() == {}
    tests.complete("w2", 2)
    assert handed_out(tests.give_orders()) == {"w2": [0]}


def test_a_test_that_all_boards_declined() -> None:
    """It is handed out for a report, once."""
    tests = dispatcher(works(AB, A), w1="a")
    tests.give_orders()
    tests.complete("w1", 1)
    tests.give_orders()
    tests.complete("w1", 0, declined=True)
    assert tests.take_hopeless() == ()
    tests.lose_board("b")
    assert tests.take_hopeless() == (), "it may come back"
    tests.give_up_board("b")
    assert tests.take_hopeless() == (0,)
    assert tests.take_hopeless() == ()


def test_a_test_that_runs_again_elsewhere() -> None:
    """It goes to a board on which it has not failed, if there is one."""
    tests = dispatcher(works(AB, AB, AB), restarts=True, w1="a", w2="b")
    assert handed_out(tests.give_orders()) == {"w1": [0], "w2": [1]}
    assert tests.may_run_elsewhere(0, "a")
    tests.put_back(0, not_on="a")  # the report of its failure comes before it is complete
    assert tests.held_by("w1") == (0,)
    tests.complete("w1", 0)
    assert tests.queued == {0, 2}
    assert handed_out(tests.give_orders()) == {"w1": [2]}
    tests.complete("w2", 1)
    assert handed_out(tests.give_orders()) == {"w2": [0]}
    assert not tests.may_run_elsewhere(0, "b"), "it was on both"


@pytest.mark.parametrize("restarts", [False, True])
def test_where_a_test_could_run_again(restarts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """On a board that is there and has a worker, or gets one."""
    tests = dispatcher([*works(AB, None), Work(boards=ABC, count=2)], restarts=restarts, w1="a")
    assert tests.may_run_elsewhere(0, "a") == restarts
    assert tests.may_run_elsewhere(0, "b")
    assert not tests.may_run_elsewhere(1, "a"), "it has no board"
    assert tests.may_run_elsewhere(2, "b"), "two others are left, one has a worker"
    tests.lose_board("a")
    assert not tests.may_run_elsewhere(0, "b")
    assert not tests.may_run_elsewhere(2, "b")


def test_a_crashed_test_may_be_put_back() -> None:
    """A plugin that runs crashed tests again gets this one run by the replacement."""
    tests = dispatcher(works(A), Turns(("w1", 0)), w1="a")
    tests.give_orders()
    tests.retire("w1")
    tests.put_back(0)

    tests.add_worker("w2", "a")
    assert tests.give_orders() == {"w2": given(0, shut_down=True)}


def test_what_was_never_sent_cannot_be_completed() -> None:
    """A message about another test is a defect, not something to be believed."""
    tests = dispatcher(works(A, A), w1="a")
    tests.give_orders()
    with pytest.raises(LookupError, match="w1 was not sent test 1"):
        tests.complete("w1", 1)


def test_a_second_one_while_plenty_is_left() -> None:
    """It makes no difference then who runs it; in the end it does."""
    tests = dispatcher(works(*[A] * 60), w1="a")
    held = []
    for done in range(59):
        tests.give_orders(float(done))
        held.append(len(tests.held_by("w1")))
        tests.complete("w1", done)
    assert held[:15] == [2] * 15
    assert held[-30:] == [1] * 30
