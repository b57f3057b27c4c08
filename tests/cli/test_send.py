"""``harness send``: one line to a board under its lease, and its reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from harness.inventory.board import Board
from harness.inventory.leases import Leases
from tests.cli.board_on_a_pty import BoardOnAPty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DESK = Board(id="desk-1", kind="nrf9151dk", driver="nrf91")


@pytest.fixture(autouse=True)
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of these tests only, no rig file and no serial port of this machine's."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BoardOnAPty]:
    """An AT host."""
    with BoardOnAPty(tmp_path) as board:
        yield board


@pytest.fixture
def raw_board(tmp_path: Path) -> Iterator[BoardOnAPty]:
    """A board of no known discipline."""
    with BoardOnAPty(tmp_path, "raw") as board:
        yield board


@pytest.mark.parametrize(
    ("words", "out", "code"),
    [
        (["AT"], "OK\n", 0),
        (["AT+TWO"], "1\n2\nOK\n", 0),
        (["AT+NO"], "+CME ERROR: 513\n", 1),
        (["SAY", "OK"], "OK\n", 0),
    ],
)
def test_reply_is_printed(
    run: Callable[..., Any], board: BoardOnAPty, words: list[str], out: str, code: int
) -> None:
    """The reply of an AT host to its end; one that refuses makes the command fail."""
    outcome = run("send", "desk-1", *words, "--rig", str(board.rig))

    assert (outcome.out, outcome.code) == (out, code)
    assert board.heard == " ".join(words).encode() + b"\r\n"


def test_silent_board(run: Callable[..., Any], board: BoardOnAPty) -> None:
    """A board that does not answer in time is one line with what was waited for."""
    outcome = run("send", "desk-1", "STAY", "--timeout", "0.1", "--rig", str(board.rig))

    assert outcome.code == 1
    assert "desk-1-console: waited 0.1 s for the reply to 'STAY' (sent by hand); the console" in outcome.err
    assert outcome.err.count("\n") == 1


def test_pattern_is_waited_for(run: Callable[..., Any], board: BoardOnAPty) -> None:
    """Instead of the end of a reply a pattern may be waited for."""
    outcome = run("send", "desk-1", "SAY", "ready 12", "--until", r"ready \d+", "--rig", str(board.rig))

    assert outcome.code == 0
    assert outcome.out.startswith("ready 12")


def test_pattern_that_does_not_come(run: Callable[..., Any], board: BoardOnAPty) -> None:
    """What came instead is printed, and the command fails."""
    outcome = run(
        "send", "desk-1", "SAY", "busy", "--until", "ready", "--timeout", "0.5", "--rig", str(board.rig)
    )

    assert outcome.code == 1
    assert outcome.out == "busy\n"
    assert "waited 0.5 s for" in outcome.err


def test_board_of_no_known_discipline(run: Callable[..., Any], raw_board: BoardOnAPty) -> None:
    """Where nothing tells the end of a reply, all is printed that comes in time; a line ends with CR."""
    outcome = run("send", "desk-1", "SAY", "hello", "--timeout", "0.5", "--rig", str(raw_board.rig))

    assert (outcome.code, outcome.out) == (0, "hello\n")
    assert raw_board.heard == b"SAY hello\r"


def test_reply_cannot_control_the_terminal(run: Callable[..., Any], board: BoardOnAPty) -> None:
    """What is no text is shown as numbers."""
    outcome = run(
        "send", "desk-1", "SAY", "\x1b[2Jx\x07", "--until", "x", "--rig", str(board.rig), "--timeout", "20"
    )

    assert "\x1b" not in outcome.out
    assert outcome.out.startswith("\\x1b[2Jx")


def test_holder_is_named(run: Callable[..., Any], board: BoardOnAPty) -> None:
    """A board that somebody holds is not touched; the line says who has it."""
    with Leases("run-7") as leases:
        leases.take([DESK], deadline=0)
        outcome = run("send", "desk-1", "AT", "--rig", str(board.rig))

    assert outcome.code == 1
    assert "desk-1" in outcome.err
    assert "session run-7" in outcome.err
    assert outcome.err.count("\n") == 1
    assert board.heard == b""


def test_board_is_free_afterwards(run: Callable[..., Any], board: BoardOnAPty) -> None:
    """The lease and the port are given back, also when the board refused."""
    run("send", "desk-1", "AT+NO", "--rig", str(board.rig))

    with Leases("run-7") as leases:
        leases.take([DESK], deadline=0)
    assert run("send", "desk-1", "AT", "--rig", str(board.rig)).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("desk-2", "AT"), "BOARD: no such board here (got 'desk-2'); expected desk-1"),
        (
            ("desk-1", "AT", "--role", "trace"),
            "--role: board desk-1 has no serial endpoint of this role (got 't",
        ),
        (("desk-1", "AT\nAT"), "TEXT: not one line (got 'AT\\nAT'); expected one line, without its end"),
        (("desk-1", "AT", "--until", "("), "--until: no regular expression: missing )"),
        (("desk-1", "AT", "--timeout", "x"), "--timeout: not a number of seconds (got 'x')"),
        (("desk-1", "AT", "--wait", "x"), "--wait: not a number of seconds (got 'x')"),
        (("desk-1", "AT", "--bench", "virtual"), "--bench: which virtual bench? (got 'virtual')"),
    ],
)
def test_wrong_use_is_one_line(
    run: Callable[..., Any], board: BoardOnAPty, arguments: tuple[str, ...], message: str
) -> None:
    """What is wrong is said in one line, and the board hears nothing."""
    outcome = run("send", *arguments, "--rig", str(board.rig))

    assert outcome.code == 4
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert board.heard == b""


def test_absent_board_is_known(run: Callable[..., Any], tmp_path: Path) -> None:
    """A board of the rig file that is not there is not called unknown."""
    rig = tmp_path / "rig.toml"
    rig.write_text('[[board]]\nid = "desk-1"\nprofile = "nrf9151dk"\nendpoints.console = "/dev/nope"\n')

    outcome = run("send", "desk-1", "AT", "--rig", str(rig))

    assert outcome.code == 4
    assert "BOARD: this board is absent: there is no /dev/nope (got 'desk-1')" in outcome.err
