"""Tests that are kept together: a board that fits them all, and their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.errors import UsageError
from harness.inventory.board import Board
from harness.pytest_plugin.grouping import put_together, refuse_groups_apart
from harness.pytest_plugin.handover import Requirement, read_needs, write_needs
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from pathlib import Path

CAR = Board(id="c", kind="car", driver="wheels", capabilities=frozenset({"honk"}))
BOAT = Board(id="b", kind="boat", driver="water", capabilities=frozenset({"honk"}))
PLAIN = Board(id="p", kind="car", driver="wheels")
BOARDS = (CAR, BOAT, PLAIN)


def grouped(*, group: str | None = "g", count: int = 1, **need: Any) -> Requirement:
    """Say what a test of a group needs."""
    return Requirement(need=BoardNeed(**need), count=count, group=group)


def check(*requirements: Requirement, late_boards: bool = False) -> None:
    """See that the tests 0, 1, 2 ... can be kept together as they say."""
    named = [(str(number), requirement) for number, requirement in enumerate(requirements)]
    refuse_groups_apart(named, BOARDS, late_boards=late_boards)


@pytest.mark.parametrize("late_boards", [False, True])
def test_groups_that_a_board_fits(late_boards: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """One board has to fit all tests of a group; one without a board, or in no group, does not matter."""
    honk = frozenset({"honk"})
    check(
        grouped(kind="car"),
        grouped(capabilities=honk),
        grouped(group=None, kind="boat"),
        grouped(group="other", kind="boat"),
        Requirement(group="g"),
        grouped(driver="wheels", count=2),
        late_boards=late_boards,
    )


@pytest.mark.parametrize(
    ("requirements", "test", "other"),
    [
        ([grouped(kind="car"), grouped(kind="boat")], "1", "0"),
        ([grouped(), grouped(driver="water"), grouped(driver="wheels")], "2", "1"),
        ([grouped(board_id="c"), grouped(board_id="p")], "1", "0"),
    ],
)
@pytest.mark.parametrize("late_boards", [False, True])
def test_groups_that_no_board_can_fit(
    requirements: list[Requirement],
    test: str,
    other: str,
    late_boards: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Two tests that contradict each other are both named, whatever board may come late."""
    with pytest.raises(UsageError) as caught:
        check(*requirements, late_boards=late_boards)

    assert str(caught.value) == (
        f"{test}: keep_together: kept together with {other} (group g), and no board of this session fits them"
        " all; expected tests that fit one board in common"
    )


def test_groups_that_no_board_of_the_session_fits() -> None:
    """Tests that do not contradict each other may have to wait for a board that comes late."""
    apart = [grouped(capabilities=frozenset({"honk"})), grouped(capabilities=frozenset({"fly"}))]

    with pytest.raises(UsageError, match=r"^1: keep_together: kept together with 0 "):
        check(*apart)
    check(*apart, late_boards=True)

    # Each two of them have a board in common, and all three have none.
    pairs = (CAR, BOAT, PLAIN)
    one, two, three = ({"x"}, {"y"}, {"z"})
    having = [one | two, two | three, one | three]
    boards = [
        Board(id=board.id, kind=board.kind, driver=board.driver, capabilities=frozenset(what))
        for board, what in zip(pairs, having, strict=True)
    ]
    needs = [("t", grouped(capabilities=frozenset(each))) for each in (one, two, three)]
    with pytest.raises(UsageError, match=r"^t: keep_together: kept together with t "):
        refuse_groups_apart(needs, boards, late_boards=False)


def test_members_follow_the_first_one() -> None:
    """The tests of a group follow its first one in their order; all others keep theirs."""
    items = cast("list[pytest.Item]", list("abcdefg"))

    put_together(items, [None, "1", None, "2", "1", None, "2"])

    assert "".join(cast("list[str]", items)) == "abecdgf"


def test_the_scheduler_is_told(tmp_path: Path) -> None:
    """What a worker writes of its tests the controller reads: need, number of boards, group."""
    (tmp_path / "needs").mkdir()
    requirements = [Requirement(), grouped(count=3, kind="car"), Requirement(group="g")]

    write_needs(tmp_path, "gw0", requirements)

    assert read_needs(tmp_path, "gw0") == requirements
