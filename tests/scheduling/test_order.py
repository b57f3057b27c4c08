"""The order of tests in one process: theirs, as long as boards are there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.scheduling.order import Order

A, B, AB, NONE_YET = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"}), frozenset[str]()


def test_in_their_order() -> None:
    """With every board there nothing changes; the one after the next is known."""
    order = Order([A, None, B, AB])

    ran = []
    while (index := order.next()) is not None:
        order.begin(index)
        ran.append(index)
    assert ran == [0, 1, 2, 3]
    assert Order([A, None]).next(after=0) == 1
    assert not order.waits


def test_tests_of_a_lost_board_come_when_it_is_back() -> None:
    """Those that its equal may run do not wait."""
    order = Order([A, AB, A, None])
    order.lose_board("a")

    assert order.next() == 1
    order.begin(1)
    assert order.next() == 3
    order.begin(3)
    assert order.next() is None
    assert order.waits
    assert order.queues.waiting == 2
    order.return_board("a")
    assert order.next() == 0


def test_tests_of_a_board_that_is_given_up() -> None:
    """They are handed out for a report, and nobody waits."""
    order = Order([A, B, A])
    order.lose_board("a")
    order.give_up_board("a")
    order.give_up_board("b")  # which is there

    assert order.next() == 1
    assert order.queues.take_hopeless() == (0, 2)
    order.begin(1)
    assert not order.waits
    assert len(order.queues) == 0


def test_a_board_that_comes_late() -> None:
    """Tests that fitted nobody fit it, in their order."""
    order = Order([NONE_YET, A, NONE_YET])
    assert order.next() == 1
    order.begin(1)
    assert order.next() is None
    assert not order.waits

    order.add_board("c", [0])

    assert order.next() == 0
    order.begin(0)
    assert order.queues.take_homeless() == (2,)


@given(
    boards_of=st.lists(st.sampled_from([None, A, B, AB, NONE_YET]), max_size=8),
    events=st.lists(st.tuples(st.sampled_from(["lose", "return", "give up", "run"]), st.sampled_from("ab"))),
)
def test_whatever_happens_every_test_is_run_or_handed_out_once(
    boards_of: list[frozenset[str] | None], events: list[tuple[str, str]]
) -> None:
    """Run, hopeless and homeless ones are all of them, each once."""
    order = Order(boards_of)
    gone: list[int] = []

    def run_one() -> bool:
        index = order.next()
        if index is not None:
            assert boards_of[index] is None or any(map(order.queues.is_there, boards_of[index] or ()))
            order.begin(index)
            gone.append(index)
        return index is not None

    for event, board in events:
        match event:
            case "lose":
                order.lose_board(board)
            case "return":
                order.return_board(board)
            case "give up":
                order.give_up_board(board)
            case _:
                run_one()
        gone += order.queues.take_hopeless()
    for board in "ab":
        order.give_up_board(board)
    gone += order.queues.take_hopeless()
    while run_one():
        pass
    assert not order.waits
    gone += order.queues.take_homeless()
    assert sorted(gone) == list(range(len(boards_of)))
