"""``harness console``: a person, or a pipe, in conversation with a board under its lease."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pexpect
import pytest

from harness.inventory.board import Board
from harness.inventory.leases import Leases
from tests.cli.board_on_a_pty import BoardOnAPty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DESK = Board(id="desk-1", kind="nrf9151dk", driver="nrf91")
CTRL_C = "\x03"
END = "\x1d"


@pytest.fixture(autouse=True)
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of these tests only."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BoardOnAPty]:
    """An AT host."""
    with BoardOnAPty(tmp_path) as board:
        yield board


def command(board: BoardOnAPty, *arguments: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "harness.cli", "console", "desk-1", "--rig", str(board.rig), *arguments]


class Person:
    """Sits at a terminal of their own, in which the command runs."""

    def __init__(self, board: BoardOnAPty, *arguments: str) -> None:
        program, *rest = command(board, *arguments)
        self.terminal = pexpect.spawn(program, rest, timeout=30, encoding="utf-8", echo=True)
        self.settings_before = termios.tcgetattr(self.terminal.child_fd)
        self.terminal.expect(r"harness: console of desk-1 \(nrf9151dk\) at \S+; Ctrl-\] ends it")

    def end(self) -> int | None:
        """Wait for the end; the terminal has to be as it was."""
        self.terminal.expect(pexpect.EOF)
        settings = termios.tcgetattr(self.terminal.child_fd)
        self.terminal.close()
        assert settings == self.settings_before
        code: int | None = self.terminal.exitstatus
        return code


def test_keys_reach_the_board_and_its_words_the_screen(board: BoardOnAPty) -> None:
    """Enter ends a line as the board's discipline wants it; Ctrl-] ends the conversation."""
    person = Person(board)

    person.terminal.send("AT\r")
    person.terminal.expect("OK\r+\n")
    person.terminal.send(END)
    person.terminal.expect("harness: board desk-1 is given back")

    assert person.end() == 0
    assert board.heard == b"AT\r\n"


def test_control_keys_are_the_boards(board: BoardOnAPty) -> None:
    """Ctrl-C, Ctrl-Z and the like go to the board and do not end or stop the command."""
    person = Person(board)

    person.terminal.send(f"{CTRL_C}\x1a\x13\x04")
    board.wait_for(b"\x03\x1a\x13\x04")
    person.terminal.send(f"AT\r{END}")

    assert person.end() == 0
    assert b"AT\r\n" in board.heard


def test_what_is_said_unasked_is_shown_at_once(board: BoardOnAPty) -> None:
    """A board need not be asked; a line that ends in a line feed alone begins the next at the margin."""
    person = Person(board)

    board.say(b"one\ntwo\n")
    person.terminal.expect("one\r\ntwo\r\n")
    person.terminal.send(END)

    assert person.end() == 0


def test_timestamps_and_echo(board: BoardOnAPty) -> None:
    """Each line that the board says begins with the time, and keys are shown where the board shows none."""
    person = Person(board, "--timestamps", "--echo")

    person.terminal.send("SAY hello\r")
    person.terminal.expect(r"\r\nSAY hello\s+\[\d\d:\d\d:\d\d\.\d{3}\] hello\r+\n")
    person.terminal.send(END)

    assert person.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_terminal_is_restored_when_the_command_is_ended(board: BoardOnAPty, number: signal.Signals) -> None:
    """A signal ends it as Ctrl-C would a command: board and terminal are given back."""
    person = Person(board)

    person.terminal.kill(number)

    assert person.end() == 1
    with Leases("run-7") as leases:
        leases.take([DESK], deadline=0)


def test_board_that_goes_away(board: BoardOnAPty) -> None:
    """A lost board is one line, and the terminal is as it was."""
    person = Person(board)

    board.unplug()
    person.terminal.expect(r"harness: desk-1-console: \S+ went away while reading")

    assert person.end() == 1


def test_pipe_is_sent_to_its_end_and_the_reply_awaited(board: BoardOnAPty) -> None:
    """Lines end as the board wants it; after the last one it is listened to until it is silent."""
    done = subprocess.run(
        command(board, "--linger", "1"),
        input=b"AT\nSAY a\r\nSAY b\n",
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.replace(b"\r", b"") == b"\nOK\na\nb\n"
    assert board.heard == b"AT\r\nSAY a\r\nSAY b\r\n"


def test_pipe_that_is_interrupted(board: BoardOnAPty) -> None:
    """Ctrl-C ends a conversation with a pipe; the board is free afterwards."""
    read, write = os.pipe()
    with subprocess.Popen(
        command(board), stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        os.close(read)
        os.write(write, b"SAY hello\n")
        board.wait_for(b"SAY hello\r\n")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        os.close(write)

    assert process.returncode == 1
    assert errors == b""
    with Leases("run-7") as leases:
        leases.take([DESK], deadline=0)


def test_reader_that_goes_away(board: BoardOnAPty) -> None:
    """When nobody reads any more the command ends with one line."""
    with subprocess.Popen(
        command(board), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b"SAY hello\n")
        process.stdin.flush()
        assert process.wait(60) == 1
        assert process.stderr.read() == b"harness: nobody reads what the board says any more\n"


def test_holder_is_named(board: BoardOnAPty) -> None:
    """Who has the board is said, and it hears nothing."""
    with Leases("run-7") as leases:
        leases.take([DESK], deadline=0)
        done = subprocess.run(command(board), input=b"AT\n", capture_output=True, timeout=60, check=False)

    assert done.returncode == 1
    assert re.fullmatch(rb"harness: .*desk-1.*session run-7.*\n", done.stderr)
    assert board.heard == b""


def test_others_read_what_it_is_held_for(board: BoardOnAPty) -> None:
    """While somebody talks to a board, the list says who and by what."""
    person = Person(board)

    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "boards", "--rig", str(board.rig)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "harness console" in done.stdout
    assert "leased" in done.stdout
    person.terminal.send(END)
    assert person.end() == 0
