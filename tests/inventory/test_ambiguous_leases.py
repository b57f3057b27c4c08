"""Leases of boards that their serial number does not tell apart: by where they are, and by who they are."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.errors import LeaseBusy
from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board
from harness.inventory.leases import Leases, holder, lease_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def shared_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the host's own leases out of the tests."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    return tmp_path / "leases"


def twin(location: str) -> Board:
    """One of several boards with one serial number, which was not asked yet."""
    facts = {USB_SERIAL: "7", USB_LOCATION: location}
    return Board(id=f"7@{location}", kind="k", driver="d", properties=facts, ambiguous=True)


def known(board: Board, identity: str, name: str = "") -> Board:
    """The same board, after it said who it is."""
    return replace(board, id=name or identity, identity=identity, confirmed=True)


def held(board: Board) -> str | None:
    """Id of the session that holds a board."""
    found = holder(board)
    return None if found is None else found.session


@pytest.mark.parametrize(
    ("board", "name"),
    [
        (Board(id="7", kind="k", driver="d", properties={USB_SERIAL: "7"}), "7-"),
        (Board(id="left", kind="k", driver="d", properties={USB_SERIAL: "7"}, identity="X"), "7-"),
        (twin("1-2"), "7_1-2-"),
        (replace(twin("1-2"), id="left", identity="X"), "7_1-2-"),
        (known(twin("1-2"), "X", "left"), "X-"),
        (replace(twin("1-2"), properties={USB_LOCATION: "1-2"}, id="k@1-2"), "1-2-"),
        (Board(id="cellar", kind="k", driver="d", ambiguous=True), "cellar-"),
        (Board(id="b", kind="k", driver="d", bench="/x", properties={USB_SERIAL: "7"}), "b-"),
    ],
    ids=[
        "unique",
        "called by a rig file",
        "not asked",
        "only the rig file says who it is",
        "asked",
        "no serial number",
        "nothing on USB",
        "virtual",
    ],
)
def test_what_a_lease_is_named_after(board: Board, name: str, tmp_path: Path) -> None:
    """What every session of the host finds out alike: nothing that only a rig file says."""
    if board.bench is not None:
        board = replace(board, bench=str(tmp_path / "control.sock"))

    assert lease_file(board).name.startswith(name)


def test_twins_are_leased_by_where_they_are() -> None:
    """Two boards with one serial number are two leases."""
    with Leases("mine") as mine, Leases("theirs") as theirs:
        mine.take([twin("1-1")], deadline=0)
        theirs.take([twin("1-2")], deadline=0)

        with pytest.raises(LeaseBusy, match=r"board 7@1-2 is leased by session theirs"):
            mine.take([twin("1-2")], deadline=0)


def test_who_said_who_it_is_is_leased_by_that_too() -> None:
    """Both leases are held until the board is given back, and both say which test it is in."""
    board = known(twin("1-1"), "X")
    with Leases("mine") as leases:
        leases.take([twin("1-1")], deadline=0)

        assert leases.confirm({"7@1-1": board}) == []

        assert leases.boards == (board,)
        leases.note_test("X", "t")
        for name in (twin("1-1"), board):
            assert (held(name), getattr(holder(name), "test", None)) == ("mine", "t")
        leases.release(board)
        assert (held(twin("1-1")), held(board)) == (None, None)


def test_board_that_another_session_knows_already_is_given_back() -> None:
    """It was moved while that session had it: its place was free, and it is not."""
    moved = known(twin("1-2"), "X")
    with Leases("mine") as mine, Leases("theirs") as theirs:
        theirs.take([known(twin("1-1"), "X")], deadline=0)
        mine.take([twin("1-2"), twin("1-3")], deadline=0)

        refused = mine.confirm({"7@1-2": moved, "7@1-3": known(twin("1-3"), "Y")})

        assert [board for board, _ in refused] == [moved]
        assert refused[0][1].startswith("board X is leased by session theirs")
        assert [board.id for board in mine.boards] == ["Y"]
        assert held(twin("1-2")) is None


def test_asked_board_is_taken_with_both_or_with_none() -> None:
    """Others, who did not ask it, know it by its place; if they have that, its name stays free."""
    with Leases("mine") as mine, Leases("theirs") as theirs:
        theirs.take([known(twin("1-1"), "X")], deadline=0)
        assert (held(twin("1-1")), held(Board(id="X", kind="k", driver="d"))) == ("theirs", "theirs")

        with pytest.raises(LeaseBusy):
            mine.take([known(twin("1-1"), "Z")], deadline=0)
        with pytest.raises(LeaseBusy):
            mine.take([known(twin("1-9"), "X")], deadline=0)

        assert held(Board(id="Z", kind="k", driver="d")) is None
        assert held(twin("1-9")) is None


@pytest.mark.parametrize("first", ["before its twin came", "while its twin was there"])
def test_a_twin_that_comes_or_goes_lets_nobody_in(first: str) -> None:
    """Whether a serial number is a board's own depends on when one looks; where the board is does not."""
    alone = Board(
        id="7", kind="k", driver="d", properties={USB_SERIAL: "7", USB_LOCATION: "1-1"}, identity="X"
    )
    theirs, ours = (alone, twin("1-1")) if first.startswith("before") else (known(twin("1-1"), "X"), alone)
    with Leases("theirs") as holding, Leases("mine") as mine:
        holding.take([theirs], deadline=0)

        with pytest.raises(LeaseBusy, match=rf"board {ours.id} is leased by session theirs"):
            mine.take([ours], deadline=0)
        mine.take([twin("1-2")], deadline=0)

        threading.Timer(0.1, holding.close).start()
        mine.take([ours], deadline=30)
        assert held(ours) == "mine"


def test_place_of_a_board_of_ours_is_ours() -> None:
    """Where a twin of the session was, another one may come late; it is taken by who it is."""
    with Leases("mine") as mine:
        mine.take([known(twin("1-1"), "X")], deadline=0)

        mine.take([known(twin("1-1"), "Y")], deadline=0)

        assert [board.id for board in mine.boards] == ["X", "Y"]


def test_boards_that_were_swapped_change_their_names() -> None:
    """What is leased stays leased; only who is who is known now."""
    left, right = (
        Board(id=name, kind="k", driver="d", properties={USB_SERIAL: name}) for name in ("left", "right")
    )
    with Leases("mine") as leases:
        leases.take([left, right], deadline=0)

        leases.confirm(
            {
                "left": replace(left, id="right"),
                "right": replace(right, id="left"),
                "nobody": Board(id="nobody", kind="k", driver="d"),
            }
        )

        assert [(board.id, board.hardware_identity) for board in leases.boards] == [
            ("left", "right"),
            ("right", "left"),
        ]
        assert (held(left), held(right)) == ("mine", "mine")
