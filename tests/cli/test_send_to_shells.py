"""``harness send`` where a Zephyr shell may be at the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from tests.cli.board_on_a_pty import BoardOnAPty
from tests.nordic.paper_shell import PaperShell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODEM = {
    "AT": "OK\r\n",
    "AT+CGMR": "mfw_nrf91x1_2.0.2\r\nOK\r\n",
    "AT+NO": "+CME ERROR: 513\r\n",
    "AT+LONG": "1\r\nOK\r\n",
}


class ShellBoard(BoardOnAPty):
    """A board whose console is a shell.

    :ivar shell: what answers.
    """

    def __init__(self, directory: Path, discipline: str) -> None:
        self.shell = PaperShell(dict(MODEM))
        self.shell.commands["kernel version"] = b"Zephyr version 4.1.99\r\n"
        super().__init__(directory, discipline)

    def _answer(self, line: bytes) -> bytes:  # type: ignore[override]  # it has a state
        return self.shell(line)


@pytest.fixture(autouse=True)
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of these tests only, no rig file and no serial port of this machine's."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)


@pytest.fixture(params=["at-host", "at-shell", "auto"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ShellBoard]:
    """A shell, whatever its profile says of it."""
    with ShellBoard(tmp_path, request.param) as board:
        yield board


@pytest.mark.parametrize(
    ("words", "out", "code"),
    [
        (["AT"], "OK\n", 0),
        (["AT+CGMR"], "mfw_nrf91x1_2.0.2\nOK\n", 0),
        (["AT+NO"], "+CME ERROR: 513\n", 1),
        (["AT+WHAT"], "ERROR\n", 1),
        (["kernel", "version"], "Zephyr version 4.1.99\n", 0),
        (["nonsense"], "nonsense: command not found\n", 1),
    ],
)
def test_reply_of_a_shell(
    run: Callable[..., Any], board: ShellBoard, words: list[str], out: str, code: int
) -> None:
    """AT commands go through ``at``, other lines as they are; no colour, prompt or echo is printed."""
    outcome = run("send", "desk-1", *words, "--rig", str(board.rig))

    assert (outcome.out, outcome.code) == (out, code)
    line = " ".join(words)
    assert board.shell.typed[-1] == (f"at '{line}'" if line.startswith("AT") else line)
    assert len(board.shell.typed) <= (2 if line.startswith("AT") else 1)


def test_echo_on_several_lines(run: Callable[..., Any], tmp_path: Path) -> None:
    """Where the terminal is narrow the echo goes on on the next line; none of it is printed."""
    with ShellBoard(tmp_path, "at-shell") as board:
        board.shell.width = 12
        outcome = run("send", "desk-1", "AT+LONG", "--rig", str(board.rig))

    assert (outcome.out, outcome.code) == ("1\nOK\n", 0)


def test_what_was_half_typed_before(run: Callable[..., Any], tmp_path: Path) -> None:
    """Its echo is taken off with the line's own, and what the shell makes of it is printed."""
    with ShellBoard(tmp_path, "at-shell") as board:
        board.shell.left = "ker"
        outcome = run("send", "desk-1", "kernel", "version", "--rig", str(board.rig))

    assert (outcome.out, outcome.code) == ("kerkernel: command not found\n", 1)


@pytest.mark.parametrize("word", ["AT+CGMR", "AT"])
def test_at_host_that_was_taken_for_a_shell(run: Callable[..., Any], tmp_path: Path, word: str) -> None:
    """An AT host refuses what is meant for shells at once, and gets the line as it is."""
    with ShellBoard(tmp_path, "at-shell") as board:
        board.shell.speaks = False
        outcome = run("send", "desk-1", word, "--rig", str(board.rig))

    assert (outcome.code, board.shell.typed) == (0, [f"at '{word}'", word])
    assert outcome.out == MODEM[word].replace("\r\n", "\n")


def test_shell_that_says_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    """Without an end of the reply the line is one that tells what was waited for."""
    with ShellBoard(tmp_path, "at-shell") as board:
        board.shell.modem = {"AT+CGMR": "mfw\r\n"}
        outcome = run("send", "desk-1", "AT+CGMR", "--timeout", "0.1", "--rig", str(board.rig))

    assert outcome.code == 1
    assert "waited 0.1 s for the reply to 'AT+CGMR' (sent by hand)" in outcome.err
