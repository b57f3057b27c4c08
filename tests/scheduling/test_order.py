"""The order of tests in one process: theirs, as long as boards are there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.scheduling.order import Order
from harness.scheduling.work import Boards, Work

A, B, AB, NONE_YET = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"}), frozenset[str]()
TWO = Work(boards=AB, count=2)


def order_of(*boards_of: Boards) -> Order:
    """Queue a test for each set of boards."""
    return Order([Work(boards=boards) for boards in boards_of])


def run_all(order: Order) -> list[int]:
    """Run what can be run now."""
    ran = []
    while (index := order.next()) is not None:
        order.begin(index)
        ran.append(index)
    return ran


def test_in_their_order() -> None:
    """With every board there nothing changes."""
    order = order_of(A, None, B, AB)

    assert run_all(order) == [0, 1, 2, 3]
    assert not order.waits


def test_tests_of_a_lost_board_come_when_it_is_back() -> None:
    """Those that its equal may run do not wait."""
    order = order_of(A, AB, A, None)
    order.lose_board("a")

    assert run_all(order) == [1, 3]
    assert order.waits
    assert order.waiting == 2
    order.return_board("a")
    assert order.next() == 0


def test_tests_of_a_board_that_is_given_up() -> None:
    """They are handed out for a report, and nobody waits."""
    order = order_of(A, B, A)
    order.lose_board("a")
    order.give_up_board("a")
    order.give_up_board("b")  # which is there

    assert order.next() == 1
    assert order.take_hopeless() == (0, 2)
    order.begin(1)
    assert not order.waits
    assert order.queued == ()


def test_a_board_that_comes_late() -> None:
    """Tests that fitted nobody fit it, in their order."""
    order = order_of(NONE_YET, A, NONE_YET)
    assert run_all(order) == [1]
    assert not order.waits

    order.add_board("c", [0])

    assert run_all(order) == [0]
    assert order.take_homeless() == (2,)


def test_several_boards_at_once() -> None:
    """A test of two waits while one of them is away, and is hopeless when it is given up."""
    order = Order([TWO, Work(boards=A), TWO])
    assert order.next() == 0
    order.begin(0)
    order.lose_board("b")

    assert run_all(order) == [1]
    assert order.waits
    assert order.waiting == 1
    assert order.take_hopeless() == ()
    order.give_up_board("b")
    assert not order.waits
    assert order.take_hopeless() == (2,)


def test_several_boards_of_which_one_comes_late() -> None:
    """Nobody waits for it, and nobody gives the test up before the end."""
    order = Order([Work(boards=A, count=2), Work(boards=A, count=2)])
    assert order.next() is None
    assert not order.waits
    assert order.waiting == 0
    assert order.take_hopeless() == ()

    order.add_board("b", [0])

    assert run_all(order) == [0]
    assert order.take_homeless() == (1,)


def test_once_more_on_another_board() -> None:
    """A test that is put back is the next one, on the boards that are left: if one is there."""
    order = order_of(AB, AB, A, None)
    order.begin(0)
    assert order.may_run_elsewhere(0, "a")
    order.put_back(0, not_on="a")

    assert order.next() == 0
    assert order.boards_for(0) == ("b",)
    order.begin(0)
    assert order.boards_for(1) == ("a", "b")
    assert order.boards_for(3) == ()
    assert not order.may_run_elsewhere(0, "b")
    assert order.may_run_elsewhere(2, "b")
    assert not order.may_run_elsewhere(2, "a")
    assert not order.may_run_elsewhere(3, "a")
    order.lose_board("b")
    assert not order.may_run_elsewhere(1, "a")
    order.put_back(0)
    assert order.next() == 1, "the first one has only board b left, which is away"


def test_the_end() -> None:
    """Nothing is handed out or waited for any more; what was not begun stays queued."""
    order = order_of(A, B, None)
    order.begin(0)
    order.lose_board("b")
    order.end()

    assert order.next() is None
    assert not order.waits
    assert not order.may_run_elsewhere(0, "b")
    assert order.queued == (1, 2)


WORK = st.builds(Work, boards=st.sampled_from([None, A, B, AB, NONE_YET]), count=st.just(1)) | st.builds(
    Work, boards=st.sampled_from([A, AB, NONE_YET]), count=st.just(2)
)


@given(
    work=st.lists(WORK, max_size=8),
    events=st.lists(st.tuples(st.sampled_from(["lose", "return", "give up", "run"]), st.sampled_from("ab"))),
)
def test_whatever_happens_every_test_is_run_or_handed_out_once(
    work: list[Work], events: list[tuple[str, str]]
) -> None:
    """Run, hopeless and homeless ones are all of them, each once; and each is run with its boards there."""
    order = Order(work)
    there = {"a", "b"}
    gone: list[int] = []

    def run_one() -> bool:
        index = order.next()
        if index is not None:
            boards = work[index].boards
            assert boards is None or len(boards & there) >= work[index].count
            order.begin(index)
            gone.append(index)
        return index is not None

    for event, board in events:
        match event:
            case "lose":
                order.lose_board(board)
                there.discard(board)
            case "return":
                order.return_board(board)
                there.add(board)
            case "give up":
                order.give_up_board(board)
            case _:
                run_one()
        gone += order.take_hopeless()
    for board in "ab":
        order.give_up_board(board)
    gone += order.take_hopeless()
    while run_one():
        pass
    assert not order.waits
    gone += order.take_homeless()
    assert sorted(gone) == list(range(len(work)))
