"""Which of the boards found a session takes, and what it says when it cannot have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import BenchChoice, BoardsWanted, Settings
from harness.errors import LeaseBusy, UsageError
from harness.inventory.board import Board
from harness.inventory.leases import Lease, Leases
from harness.pytest_plugin.selection import (
    candidates,
    choose,
    kinds_by_name,
    kinds_to_start,
    lease,
    nearest_of,
)
from harness.virtual.contract import VirtualKind


@pytest.fixture(autouse=True)
def own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the host's own leases out of the tests."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))


def board(board_id: str, kind: str = "car") -> Board:
    """Describe a board."""
    return Board(id=board_id, kind=kind, driver="d")


BOARDS = [board("c"), board("a", "boat"), board("b")]


def ids(boards: object) -> str:
    """Return the ids as one text."""
    assert isinstance(boards, (list, tuple))
    return "".join(each.id for each in boards)


def test_kinds_to_start() -> None:
    """A number is spread over all kinds; kinds are taken as named; one board is the default."""
    kinds = ["z", "x", "y", "x"]
    assert kinds_to_start(BoardsWanted(), kinds) == ["x"]
    assert kinds_to_start(BoardsWanted(count=4), kinds) == ["x", "y", "z", "x"]
    assert kinds_to_start(BoardsWanted(count=3), kinds, by_name=["y"]) == ["x", "z", "x"]
    assert kinds_to_start(BoardsWanted(kinds={"y": 1}), kinds, by_name=["y"]) == ["y"]
    assert kinds_to_start(BoardsWanted(count=1), ["x"], by_name=["x"]) == ["x"]
    assert kinds_to_start(BoardsWanted(kinds={"y": 2, "x": 1}), kinds) == ["y", "y", "x"]


@pytest.mark.parametrize(
    ("services", "left"),
    [(set(), "acd"), ({"red"}, "ad"), ({"blue"}, "cd"), ({"red", "blue"}, "acd"), ({"green"}, "d")],
)
def test_boards_of_other_services_are_not_taken_unasked(services: set[str], left: str) -> None:
    """Who uses a service and asks for a number of boards gets none that are for another service."""
    kinds = [
        VirtualKind(kind="a", factory="m:f", service="red"),
        VirtualKind(kind="b", factory="m:f", service="red", only_by_name=True),
        VirtualKind(kind="c", factory="m:f", service="blue"),
        VirtualKind(kind="d", factory="m:f"),
    ]

    by_name = kinds_by_name(kinds, services)

    assert "".join(sorted({*"abcd"} - {*by_name})) == left


def test_kinds_that_cannot_be_started() -> None:
    """An unknown kind is answered with the nearest, no kind at all with what is missing."""
    with pytest.raises(
        UsageError, match=r"--boards: no board of this kind \(got 'nrf9151'\); expected nrf9151dk"
    ):
        kinds_to_start(BoardsWanted(kinds={"nrf9151": 1}), ["thingy91", "nrf9151dk"])
    with pytest.raises(UsageError, match="no installed plugin has a virtual board"):
        kinds_to_start(BoardsWanted(), [])


def test_candidates() -> None:
    """Boards come in identity order; ``--board`` leaves only those named."""
    assert ids(candidates(Settings(), BOARDS)) == "abc"
    assert ids(candidates(Settings(board_ids=("c", "a")), BOARDS)) == "ac"


@pytest.mark.parametrize(
    ("settings", "found", "message"),
    [
        (
            Settings(bench=BenchChoice(kind="virtual", socket=Path("/b/sock"))),
            [],
            r"--bench: no board found: looked on the virtual bench at /b/sock and saw none .* add some",
        ),
        (Settings(), [], "no board found: looked on the bench"),
        (Settings(board_ids=("d",)), BOARDS, r"--board: no such board \(got 'd'\); expected"),
        (Settings(boards=BoardsWanted(count=4)), BOARDS, r"\(got '4'\); expected at most 3"),
        (Settings(boards=BoardsWanted(kinds={"car": 3})), BOARDS, r"\(got 'car=3'\); expected at most 2"),
        (Settings(boards=BoardsWanted(kinds={"cat": 1})), BOARDS, r"\(got 'cat'\); expected car, boat"),
    ],
)
def test_candidates_that_are_not_there(settings: Settings, found: list[Board], message: str) -> None:
    """The message says what was looked for, what was seen, and what would do."""
    with pytest.raises(UsageError, match=message):
        candidates(settings, found)


def test_choose() -> None:
    """The first that make up what was asked for; all when nothing was."""
    boards = candidates(Settings(), BOARDS)
    assert ids(choose(BoardsWanted(), boards)) == "abc"
    assert ids(choose(BoardsWanted(count=2), boards)) == "ab"
    assert ids(choose(BoardsWanted(kinds={"car": 1}), boards)) == "b"


def test_free_boards_are_taken_first() -> None:
    """Who wants some boards does not wait for those of others while enough are free."""
    other = Lease(board("a"), "other", deadline=0)
    with Leases("ours") as leases:
        lease(BoardsWanted(count=1), [board("a"), board("b"), board("c")], leases, deadline=0)
        assert ids(leases.boards) == "b"
    other.release()


def test_boards_of_others_are_waited_for() -> None:
    """Who wants more than are free waits for the rest, holding nothing, and says who has it."""
    other = Lease(board("a"), "other", deadline=0)
    with Leases("ours") as leases:
        with pytest.raises(LeaseBusy, match="board a is leased by session other"):
            lease(BoardsWanted(count=2), [board("a"), board("b")], leases, deadline=0.05)
        assert leases.boards == ()
        other.release()
        lease(BoardsWanted(count=2), [board("a"), board("b")], leases, deadline=10)
        assert ids(leases.boards) == "ab"


def test_nearest_of() -> None:
    """What there is, the nearest first; nothing when there is nothing."""
    assert nearest_of("nrfclod", ["guardian", "aws", "nrfcloud"]) == "nrfcloud, aws, guardian"
    assert nearest_of("x", []) is None
