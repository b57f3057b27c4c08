"""Asking a component who it is: by its hardware's number, and by nothing that changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ConsoleTimeout
from harness_guardian import identify as identifying
from harness_guardian.identify import ATTEMPTS, identify
from harness_guardian.plugin import harness_identify_board
from tests.guardian.paper_component import SERIAL, PaperComponent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.console import Console


@pytest.fixture
def console(paper: PaperComponent, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """Its console; nobody waits long."""
    monkeypatch.setattr(identifying, "REPLY_SECONDS", 0.1)
    with paper.console() as console:
        yield console


def test_serial_number_counts(paper: PaperComponent, console: Console) -> None:
    """What tests tell a component of its hardware id does not make it another board."""
    paper.who = ("pump", "P-1", "i1")

    assert harness_identify_board(paper.board(), console) == SERIAL
    assert paper.words == ["identify"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("serial: -\nhw_id: P 1\nOK\n", "P_1"),
        ("hw_id: P-1\nOK\n", "P-1"),
        ("hw_id: -\nOK\n", None),
        ("OK\n", None),
        ("ERROR 2 BADPARAM: unknown command\n", None),
    ],
)
def test_agents_that_know_no_serial_number(
    paper: PaperComponent, console: Console, said: str, found: str | None
) -> None:
    """The hardware id is what is left; who says neither is nobody."""
    paper.said["identify"] = said

    assert identify(console) == found


def test_what_was_half_typed_spoils_one_answer(paper: PaperComponent, console: Console) -> None:
    """It is asked again when the first question was not understood."""
    answers = iter(["ERROR 2 BADPARAM: unknown command 'atidentify'\n", "", f"serial: {SERIAL}\nOK\n"])
    paper.said["identify"] = lambda _rest: next(answers)

    assert identify(console) == SERIAL


def test_silence_is_told(paper: PaperComponent, console: Console) -> None:
    """What never answers is no component, and the last question says so."""
    paper.said["identify"] = ""

    with pytest.raises(ConsoleTimeout):
        identify(console)
    assert len(paper.heard) == ATTEMPTS


@pytest.mark.parametrize("facts", [{"driver": "nrf91"}, {"capabilities": frozenset({"agent-over-ssh"})}])
def test_others_are_not_asked(paper: PaperComponent, console: Console, facts: dict[str, object]) -> None:
    """Boards of other drivers, and those whose console is a boot log, are left alone."""
    from dataclasses import replace

    assert harness_identify_board(replace(paper.board(), **facts), console) is None  # type: ignore[arg-type]  # facts of a board
    assert paper.heard == []
