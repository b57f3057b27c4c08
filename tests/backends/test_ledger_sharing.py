"""The ledger shared by many: sessions that note at once, and sweepers of which one gets each entry."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends import ledger as ledger_module
from harness.backends.ledger import GUARD_NAME, Ledger
from harness.errors import RigFault
from harness.inventory.locks import open_lock_file, try_lock
from harness.session_lock import SessionLock

if TYPE_CHECKING:
    from pathlib import Path

ROW: dict[str, Any] = {
    "session": "run",
    "worker": "gw0",
    "backend": "cloud",
    "mode": "url",
    "url": "http://127.0.0.1:1",
    "kind": "claim",
    "subject": "device",
}
NOTE_MANY = """
import sys
from harness.backends.ledger import Ledger
sys.stdin.readline()
with Ledger() as ledger:
    for number in range(15):
        entry = ledger.note(
            session="run", worker=sys.argv[1], backend="", mode="", url="", kind="claim", subject=str(number)
        )
        ledger.amend(entry.number, state="made")
        if number % 3:
            ledger.settle(entry.number)
"""
BEGIN_IN_EACH = """
import sys
from pathlib import Path
from harness.backends.ledger import Ledger
for line in sys.stdin:
    with Ledger(Path(line.strip())) as ledger:
        ledger.note(session="run", worker="", backend="", mode="", url="", kind="claim", subject="")
    print("done", flush=True)
"""
TAKE_ALL = """
import sys
from harness.backends.ledger import Ledger
from harness.inventory.locks import open_lock_file, try_lock
from harness.session_lock import SessionLock
with SessionLock(sys.argv[1]), Ledger() as ledger:
    sys.stdin.readline()
    print(*[entry.number for entry in ledger.entries() if ledger.take(entry.number, sys.argv[1])])
    sys.stdout.flush()
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own."""
    directory = tmp_path / "state"
    monkeypatch.setenv("HARNESS_STATE_DIR", str(directory))
    return directory


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program that waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_many_at_once() -> None:
    """Any number of processes begin and write at the same moment; nothing is lost or mixed up."""
    processes = [start(NOTE_MANY, f"gw{number}") for number in range(8)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 8

    with Ledger() as ledger:
        for number in range(8):
            mine = ledger.entries(worker=f"gw{number}")
            assert [entry.subject for entry in mine] == ["0", "3", "6", "9", "12"]
            assert {entry.details["state"] for entry in mine} == {"made"}


def test_beginning_at_the_same_moment(tmp_path: Path) -> None:
    """Several processes that find no ledger make one together, many times over."""
    processes = [start(BEGIN_IN_EACH) for _number in range(4)]
    for number in range(25):
        directory = tmp_path / str(number)
        directory.mkdir()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{directory}\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "done\n"
        with Ledger(directory) as ledger:
            assert len(ledger.entries()) == len(processes)
    for process in processes:
        process.communicate(timeout=30)


def test_others_begin_for_too_long(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    """Who begins waits for others that begin, with a deadline, and says what was locked."""
    Ledger().close()
    monkeypatch.setattr(ledger_module, "BUSY_SECONDS", 0.05)
    guard = open_lock_file(state / GUARD_NAME)
    assert try_lock(guard)
    try:
        with pytest.raises(RigFault, match=rf"{GUARD_NAME} stayed locked by another session"):
            Ledger()
    finally:
        os.close(guard)


def test_threads_share_it() -> None:
    """One ledger may be used by several threads."""
    with Ledger() as ledger:
        threads = [threading.Thread(target=lambda: ledger.note(**ROW)) for _number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert len(ledger.entries()) == 8


def test_each_entry_is_taken_by_one_sweeper() -> None:
    """Several sweepers try at the same moment: together they get all, and no two of them the same."""
    with Ledger() as ledger:
        numbers = [ledger.note(**ROW).number for _number in range(40)]
        sweepers = [start(TAKE_ALL, f"sweep-{number}") for number in range(4)]
        for sweeper in sweepers:
            assert sweeper.stdin is not None
            sweeper.stdin.write("go\n")
            sweeper.stdin.flush()
        taken: list[int] = []
        for sweeper in sweepers:
            assert sweeper.stdout is not None
            taken += map(int, sweeper.stdout.readline().split())
        for sweeper in sweepers:
            sweeper.communicate("end\n", timeout=30)

        assert sorted(taken) == numbers
        assert all(ledger.take(number, "next") for number in numbers), "the sweepers are dead"


def test_entries_of_a_living_session_cannot_be_taken() -> None:
    """As long as a session lives nobody but itself takes what it noted."""
    with Ledger() as ledger:
        number = ledger.note(**ROW).number
        with SessionLock("run"):
            assert not ledger.take(number, "sweep-1")
            assert ledger.take(number, "run")
        assert ledger.take(number, "sweep-1"), "it is dead now"

        with SessionLock("sweep-1"):
            assert not ledger.take(number, "sweep-2"), "another sweeper that lives has it"
            ledger.give_back(number)
            assert ledger.take(number, "sweep-2")

        ledger.settle(number)
        assert not ledger.take(number, "sweep-2"), "it is gone"
