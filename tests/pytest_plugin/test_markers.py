"""The markers' arguments: checked when tests are collected, put together from nearest to farthest."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UsageError
from harness.inventory.board import Board
from harness.pytest_plugin.markers import (
    BackendMark,
    EachBoard,
    read_backend_mark,
    read_board_marks,
    read_keep_together_mark,
    read_proves_mark,
)
from harness.scheduling.needs import BoardNeed

TEST = "test_x.py::test_y"
BOARDS = [
    Board(id="1", kind="boat", driver="water"),
    Board(id="2", kind="car", driver="wheels", capabilities=frozenset({"honk"})),
    Board(id="3", kind="car", driver="wheels", capabilities=frozenset({"honk"})),
]


def board(*args: Any, **kwargs: Any) -> pytest.Mark:
    """Make a ``board`` marker."""
    return pytest.Mark("board", args, kwargs, _ispytest=True)


def backend(*args: Any, **kwargs: Any) -> pytest.Mark:
    """Make a ``backend`` marker."""
    return pytest.Mark("backend", args, kwargs, _ispytest=True)


def together(*args: Any, **kwargs: Any) -> pytest.Mark:
    """Make a ``keep_together`` marker."""
    return pytest.Mark("keep_together", args, kwargs, _ispytest=True)


def proves(*args: Any, **kwargs: Any) -> pytest.Mark:
    """Make a ``proves`` marker."""
    return pytest.Mark("proves", args, kwargs, _ispytest=True)


def test_board_marks_add_up() -> None:
    """Capabilities of all markers count, of driver, kind and each the nearest."""
    nearest = board(needs=["a"], driver="d1", each="kind")
    farther = board(needs={"b"}, driver="d2", kind="k", each="board")

    mark = read_board_marks([nearest, farther], TEST)

    assert mark.need == BoardNeed(driver="d1", kind="k", capabilities=frozenset({"a", "b"}))
    assert mark.each == "kind"
    assert mark.count is None
    assert read_board_marks([], TEST).need == BoardNeed()
    assert read_board_marks([board(count=3), board(count=2)], TEST).count == 3


@pytest.mark.parametrize(
    ("marks", "capabilities"),
    [
        ([board(destructive=True)], {"destructive"}),
        ([board(destructive=False, needs={"a"})], {"a"}),
        ([board(destructive=False), board(destructive=True)], {"destructive"}),
    ],
)
def test_destructive_tests_need_a_board_that_allows_it(
    marks: list[pytest.Mark], capabilities: set[str]
) -> None:
    """A test that changes things for good asks for a capability; no nearer marker takes that back."""
    assert read_board_marks(marks, TEST).need.capabilities == capabilities


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (board("nrf91"), "board: unnamed argument (got 'nrf91'); expected arguments by name: driver, kind"),
        (
            board(drivr="x"),
            "board: the marker has no argument 'drivr'; expected driver, kind, needs, each, destructive,",
        ),
        (board(needs="fly"), "board(needs=): not a set of capabilities (got 'fly'); expected a set of texts"),
        (board(needs={1}), "board(needs=): not a set of capabilities (got {1})"),
        (board(kind=3), "board(kind=): not a text (got 3)"),
        (
            board(destructive="yes"),
            "board(destructive=): not a truth value (got 'yes'); expected True or Fal",
        ),
        (board(each="all"), "board(each=): unknown (got 'all'); expected board or kind"),
        (board(count=0), "board(count=): not a number of boards (got 0); expected a whole number, 1 or more"),
        (board(count="2"), "board(count=): not a number of boards (got '2')"),
        (board(count=True), "board(count=): not a number of boards (got True)"),
        (board(count=2.0), "board(count=): not a number of boards (got 2.0)"),
        (
            board(count=2, each="kind"),
            "board(count=): does not go with each='kind' (got 2); expected one of the two",
        ),
    ],
)
def test_board_marks_that_do_not_fit(mark: pytest.Mark, message: str) -> None:
    """The message names the test, the argument, and what was expected."""
    with pytest.raises(UsageError) as caught:
        read_board_marks([mark], TEST)
    assert str(caught.value).startswith(f"{TEST}: {message}")


@pytest.mark.parametrize(
    ("each", "parameters"),
    [
        ("board", [EachBoard(board_id="2"), EachBoard(board_id="3")]),
        ("kind", [EachBoard(kind="car")]),
    ],
)
def test_each(each: str, parameters: list[EachBoard]) -> None:
    """A test runs on each board, or on one of each kind, of those that fit."""
    assert read_board_marks([board(needs={"honk"}, each=each)], TEST).parameters(BOARDS) == parameters


@pytest.mark.parametrize(
    ("mark", "name"), [(together(), None), (together("a b"), "a b"), (together(name=" modem "), "modem")]
)
def test_keep_together(mark: pytest.Mark, name: str | None) -> None:
    """A name joins tests wherever they are; without one those are meant that the marker is on."""
    assert read_keep_together_mark(mark, TEST) == name


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (together("a", "b"), "malformed marker (got \"'a', 'b'\"); expected at most one NAME, a text"),
        (together("a", name="b"), "malformed marker"),
        (together(3), "malformed marker (got '3')"),
        (together("  "), "malformed marker"),
        (together(group="a"), "the marker has no argument 'group'; expected name"),
    ],
)
def test_keep_together_that_does_not_fit(mark: pytest.Mark, message: str) -> None:
    """The message names the test and what was expected."""
    with pytest.raises(UsageError) as caught:
        read_keep_together_mark(mark, TEST)
    assert str(caught.value).startswith(f"{TEST}: keep_together: {message}")


def test_backend_marks() -> None:
    """The name may stand first or by name, or be left out."""
    assert read_backend_mark(backend("n", needs={"a"}), TEST) == BackendMark(name="n", needs=frozenset({"a"}))
    assert read_backend_mark(backend(name="n"), TEST) == BackendMark(name="n", needs=frozenset())
    assert read_backend_mark(backend(), TEST).name is None


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (backend("a", "b"), "backend: malformed marker (got ['a', 'b']); expected at most one NAME"),
        (backend("a", name="b"), "backend: malformed marker"),
        (backend(7), "backend: malformed marker (got [7])"),
        (
            backend(need={"a"}),
            "backend: the marker has no argument 'need'; expected name, needs; the nearest",
        ),
        (backend(needs="a"), "backend(needs=): not a set of capabilities"),
    ],
)
def test_backend_marks_that_do_not_fit(mark: pytest.Mark, message: str) -> None:
    """The message names the test and what was expected."""
    with pytest.raises(UsageError) as caught:
        read_backend_mark(mark, TEST)
    assert str(caught.value).startswith(f"{TEST}: {message}")


@pytest.mark.parametrize("mark", [proves("claim", "201"), proves("claim", outcome="201")])
def test_proves(mark: pytest.Mark) -> None:
    """Two texts are a pair."""
    assert read_proves_mark(mark, TEST) == ("claim", "201")


@pytest.mark.parametrize(
    "mark",
    [
        proves("claim"),
        proves("claim", "201", "202"),
        proves("claim", ""),
        proves("claim", 201),
        proves("claim", operation="claim"),
        proves("claim", result="201"),
    ],
)
def test_proves_that_does_not_fit(mark: pytest.Mark) -> None:
    """Anything else names the test."""
    with pytest.raises(UsageError, match=f"^{TEST}: proves: "):
        read_proves_mark(mark, TEST)
