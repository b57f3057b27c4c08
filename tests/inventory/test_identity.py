"""What follows from what boards said: which of them may be used, as what, and what a user is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.inventory.attached import AbsentBoard, Survey
from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board
from harness.inventory.identity import Answer, confirm, identities_of, place_of
from tests.inventory.asked_boards import board_at


def on_usb(location: str, serial: str | None = "7", name: str | None = None, **more: Any) -> Board:
    """A board on USB with two ports."""
    ports = {f"/dev/{location}-0": 0, f"/dev/{location}-2": 2}
    facts = {USB_LOCATION: location} | ({USB_SERIAL: serial} if serial else {})
    return board_at(*ports, name=name or f"{serial or 'k'}@{location}", ports=ports, properties=facts, **more)


def said(board: Board, identity: str, interface: int = 0) -> Answer:
    """An answer of one of its two ports."""
    url = next(port for port, number in board.ports.items() if number == interface)
    return Answer(board=board, identity=identity, url=url, interface=interface)


def seen(*boards: Board, absent: tuple[AbsentBoard, ...] = ()) -> Survey:
    """A survey that found some boards."""
    return Survey(boards=boards, absent=absent, strangers=(), looked_for=())


def test_board_is_what_the_survey_makes_of_it() -> None:
    """With its answer, confirmed; and those who watch are told what was found out."""
    left, right = on_usb("1-1", name="left", identity="IL"), on_usb("1-2", name="right", identity="IR")
    survey = seen(replace(left, id="right", identity="IR"), replace(right, id="left", identity="IL"))

    found = confirm([said(left, "IR"), said(right, "IL")], survey)

    assert [(board.id, board.identity, board.confirmed) for board in found.boards] == [
        ("left", "IL", True),
        ("right", "IR", True),
    ]
    assert found.boards[0].endpoints["console"].url == "/dev/1-2-0"
    assert found.was == {"left": right, "right": left}
    assert found.notes == (
        "board right is at 1-1, where left was looked for: it is IR",
        "board left is at 1-2, where right was looked for: it is IL",
    )
    assert found.refused == ()


@pytest.mark.parametrize(
    ("board", "name", "note"),
    [
        (
            on_usb("1-1", ambiguous=True),
            "I1",
            "the board at 1-1 was told apart by asking: it is I1 (its USB serial number 7 is not unique)",
        ),
        (
            on_usb("1-1", serial=None, ambiguous=True),
            "left",
            "board left at 1-1 was told apart by asking: it is I1 (it has no USB serial number)",
        ),
    ],
)
def test_boards_told_apart_by_asking_are_reported(board: Board, name: str, note: str) -> None:
    """Where a serial number does not tell, a user reads which board is where."""
    assert confirm([said(board, "I1")], seen(replace(board, id=name))).notes == (note,)


def test_board_that_is_what_it_seems_is_not_worth_a_word() -> None:
    """No notes where nothing was found out."""
    board = on_usb("1-1", name="7")

    found = confirm([said(board, "I1")], seen(board))

    assert found.notes == ()
    assert found.boards == (replace(board, identity="I1", confirmed=True),)


@pytest.mark.parametrize(
    ("board", "note"),
    [
        (on_usb("1-1", ambiguous=True), "its USB serial number 7 is not unique"),
        (on_usb("1-1", serial=None, ambiguous=True), "it has no USB serial number"),
    ],
)
def test_board_that_nobody_can_ask_is_known_by_its_place(board: Board, note: str) -> None:
    """It is used, and the user is told how far that goes; one with a serial number of its own just is."""
    found = confirm([Answer(board=board), Answer(board=on_usb("1-2", name="8"))], None)

    assert [one.id for one in found.boards] == sorted([board.id, "8"])
    assert found.notes == (
        f"board {board.id} is known by its place alone: {note}, and no plugin knows how to ask who it is",
    )
    assert not any(one.confirmed for one in found.boards)


def test_refusals_have_reasons() -> None:
    """Silence, two boards that say the same, and one that is not who its finder says: none is used."""
    silent, first, second = (on_usb(f"1-{number}") for number in (1, 2, 3))
    wrong = board_at("/dev/x", name="far", identity="I9")
    answers = [
        Answer(board=silent, problem="no answer"),
        said(first, "I1"),
        said(second, "I1"),
        Answer(board=wrong, identity="I8", url="/dev/x"),
    ]

    found = confirm(answers, seen(silent, first, second))

    assert found.boards == ()
    assert found.refused == (
        (silent, "it did not say who it is: no answer"),
        (first, "it says that it is I1, and so does another board"),
        (second, "it says that it is I1, and so does another board"),
        (wrong, "it says that it is I8, and it should be I9"),
    )
    assert identities_of(answers) == {"far": "I8"}


def test_board_that_is_gone_when_all_have_answered_is_not_used() -> None:
    """Where it was, nothing of the survey is any more."""
    board = on_usb("1-1")

    assert confirm([said(board, "I1")], seen()).refused == ((board, "it went away while it was asked"),)


def test_absent_boards_are_those_that_nobody_is() -> None:
    """What the survey says is absent stays so."""
    gone = AbsentBoard(board=Board(id="gone", kind="k", driver="d"), reason="it is not here")
    board = on_usb("1-1", name="7")

    assert confirm([said(board, "I1")], seen(board, absent=(gone,))).absent == (gone,)


def test_console_is_where_it_answered() -> None:
    """The two ports change their roles, and the note says how to say so for good."""
    board = on_usb("1-1", name="7")

    found = confirm([said(board, "I1", interface=2)], seen(board))

    assert {role: one.url for role, one in found.boards[0].endpoints.items()} == {
        "console": "/dev/1-1-2",
        "trace": "/dev/1-1-0",
    }
    (note,) = found.notes
    assert note.startswith("board 7 answers on /dev/1-1-2 and not on /dev/1-1-0; for good: ")
    assert note.endswith("endpoints.console.interface = 2 in the rig file")


def test_place_of_a_board() -> None:
    """Its USB location; where the system tells none its first port; and else its name."""
    assert place_of(on_usb("1-1.4")) == "1-1.4"
    assert place_of(replace(on_usb("1-1"), properties={})) == "/dev/1-1-0"
    assert place_of(board_at("/dev/x", name="far")) == "far"


@given(st.lists(st.tuples(st.sampled_from(["I1", "I2", "I3", None]), st.booleans()), max_size=6))
def test_nobody_is_two_boards(answers: list[tuple[str | None, bool]]) -> None:
    """Whatever is answered: every board is used or refused, once, and no identity is used twice."""
    boards = [on_usb(f"1-{number}", ambiguous=ambiguous) for number, (_, ambiguous) in enumerate(answers)]
    given = [
        Answer(board=board) if identity is None else said(board, identity)
        for board, (identity, _) in zip(boards, answers, strict=True)
    ]

    found = confirm(given, seen(*boards))

    assert len(found.boards) + len(found.refused) == len(answers)
    identities = [board.identity for board in found.boards if board.identity is not None]
    assert len(identities) == len(set(identities))
    told = [identity for identity, _ in answers]
    assert set(identities) == {one for one in told if one is not None and told.count(one) == 1}
    assert set(identities) == set(identities_of(given).values())
