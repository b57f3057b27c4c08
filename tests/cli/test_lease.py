"""``harness lease``: a board by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from harness.inventory.board import Board
from harness.inventory.leases import Lease, holder

if TYPE_CHECKING:
    from collections.abc import Callable

BOARD = Board(id="001051200001", kind="nrf9151dk", driver="nrf91")
# The command as its own process, on a host with one board.
HARNESS = """
import sys
from harness.inventory import serial_ports

port = serial_ports.SerialPort(
    device="/dev/null", vid=0x1366, pid=0x1069, serial_number="001051200001", location="1-1", interface=0
)
serial_ports.list_serial_ports = lambda: [port]
from harness.cli.main import main
main()
"""


#: The console port of a board.
PORT = serial_ports.SerialPort(
    device="/dev/null", vid=0x1366, pid=0x1069, serial_number="001051200001", location="1-1", interface=0
)


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host with one board and leases of this test's own."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [PORT])
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def signals() -> Any:
    """The command sets handlers; here it runs in our own process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def start(*words: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", HARNESS, "lease", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_board_is_held_until_ctrl_c() -> None:
    """It says so, others read who holds it and with what, and it is given back."""
    process = start("001051200001")
    assert process.stdout is not None
    assert process.stdout.readline() == "Board 001051200001 is yours. Ctrl-C gives it back.\n"

    found = holder(BOARD)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert found is not None
    assert (found.pid, found.test) == (process.pid, "harness lease")
    assert (process.returncode, out, err) == (0, "\nBoard 001051200001 is given back.\n", "")
    assert holder(BOARD) is None


def test_a_board_is_held_while_a_command_runs(run: Callable[..., Any]) -> None:
    """The command's success is the command's."""
    look = (
        "from harness.inventory.board import Board; from harness.inventory.leases import holder;"
        "found = holder(Board(id='001051200001', kind='k', driver='d')); print(found.pid, found.test)"
    )
    outcome = run("lease", "001051200001", "--", sys.executable, "-c", look)

    assert outcome.code == 0
    assert outcome.out == f"{os.getpid()} harness lease: {Path(sys.executable).name}\n"
    assert holder(BOARD) is None


@pytest.mark.parametrize("end", ["exit 3", "kill -9 $$"])
def test_a_command_that_fails(run: Callable[..., Any], end: str) -> None:
    """Exit code 1, whatever the command's was; the board is free again."""
    outcome = run("lease", "001051200001", "--", "sh", "-c", end)

    assert (outcome.code, outcome.err) == (1, "")
    assert holder(BOARD) is None


def test_a_command_that_is_not_there(run: Callable[..., Any]) -> None:
    """One line says so; a wrong use."""
    outcome = run("lease", "001051200001", "--", "no-such-command")

    assert outcome.code == 4
    assert outcome.err.startswith(
        "harness: COMMAND: cannot be started: No such file or directory (got 'no-such"
    )


def test_a_busy_board(run: Callable[..., Any]) -> None:
    """Nothing is run, and who holds the board is told."""
    lease = Lease(BOARD, "theirs", deadline=0)
    lease.note_test("suite::test_it")

    outcome = run("lease", "001051200001", "--", "touch", "ran")

    assert outcome.code == 1
    assert outcome.err.startswith(
        "harness: board 001051200001 (in suite::test_it) is leased by session theirs of "
    )
    assert f"(pid {os.getpid()} on " in outcome.err
    assert not Path("ran").exists()
    lease.release()


def test_a_board_that_becomes_free() -> None:
    """With ``--wait`` it says for whom it waits, and goes on when the board is free."""
    lease = Lease(BOARD, "theirs", deadline=0)
    process = start("001051200001", "--wait", "60", "--", "echo", "mine")
    assert process.stderr is not None
    waiting = process.stderr.readline()

    lease.release()
    out, err = process.communicate(timeout=20)

    assert waiting.startswith(
        "harness: waiting for boards, 60 s at most: board 001051200001 is leased by session"
    )
    assert (process.returncode, out) == (0, "mine\n")
    assert err.startswith("harness: the boards are free, after ")


def test_ctrl_c_ends_waiting() -> None:
    """Without a traceback; the board stays with its holder."""
    lease = Lease(BOARD, "theirs", deadline=0)
    process = start("001051200001", "--wait", "60")
    assert process.stderr is not None
    process.stderr.readline()

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert (process.returncode, out, err) == (1, "", "")
    lease.release()
    assert holder(BOARD) is None


def test_ctrl_c_is_the_commands_while_it_runs() -> None:
    """A command that takes Ctrl-C its own way is waited for; SIGTERM is handed to it."""
    script = """
import signal, sys
both = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
print("begun", flush=True)
while signal.sigwait(both) is signal.SIGINT:
    print("interrupted", flush=True)
print("told", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS, "lease", "001051200001", "--", sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)  # to us alone; at a terminal the command gets it too
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()

    assert (process.returncode, out, err) == (0, "told\n", "")


def test_an_unknown_board(run: Callable[..., Any]) -> None:
    """The message names the nearest that there is."""
    outcome = run("lease", "001051200002")

    assert outcome.code == 4
    assert "BOARD: no such board" in outcome.err
    assert "expected 001051200001" in outcome.err


def test_leases_that_others_do_not_see(run: Callable[..., Any], tmp_path: Path) -> None:
    """The command warns that the lease protects from this user's sessions only."""
    (tmp_path / "leases").mkdir(mode=0o755)

    outcome = run("lease", "001051200001", "--", "true")

    assert outcome.code == 0
    assert outcome.err.startswith("harness: WARNING: leases are not shared by all users: ")
    assert f"sudo install -d -o root -m 1777 {tmp_path}/leases" in outcome.err
