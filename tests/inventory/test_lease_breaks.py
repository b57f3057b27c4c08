"""Breaks of leases: each defect is put in on purpose, and the guard that must notice it does.

The breaks of ``tests/breaks`` are about fake, board and client, and suites notice them. A lease outlives
sessions and processes; its guards are here, run once as it is and once with the defect.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.inventory.board import Board
from harness.inventory.leases import holder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOARD = Board(id="b1", kind="k", driver="d")

# A session in a process of its own: the defect, its lease, what it does, "ready"; then it waits to be killed.
SESSION = """
import os, subprocess, sys
from harness.inventory import leases, locks
from harness.inventory.board import Board
from harness.inventory.leases import Lease
{defect}
lease = Lease(Board(id="b1", kind="k", driver="d"), "first", deadline=0)
{deed}
print("ready", flush=True)
sys.stdin.read()
"""
# A tool that outlives the session: it ends with the standard input of the test, not with the session.
TOOL = 'subprocess.Popen(["sh", "-c", "read x"], close_fds=False)'
# The child says that it runs, or the session could be killed before the child had a chance to let go.
FORK = """
begun, told = os.pipe()
if os.fork() == 0: os.write(told, b"!"); sys.stdin.read(); os._exit(0)
os.read(begun, 1)
"""


def guard_free_after_death(directory: Path, defect: str, deed: str) -> None:
    """The lease of a killed session is free though a child of it lives on."""
    with run_session(directory, defect, deed) as process:
        process.kill()
        process.wait()
        assert holder(BOARD) is None, "the lease is kept after death"


def guard_free_after_release(directory: Path, defect: str, deed: str) -> None:
    """A lease that was given back is free though its session lives on."""
    with run_session(directory, defect, f"{deed}\nlease.release()"):
        assert holder(BOARD) is None, "the lease is kept after it was given back"


def guard_one_session_a_board(directory: Path, defect: str, deed: str) -> None:
    """A second session does not get the board."""
    second = "try: Lease(lease.board, 'second', deadline=0)\nexcept leases.LeaseBusy: print('busy')"
    with run_session(directory, defect, f"{deed}\n{second}", says="busy\n"):
        pass


def guard_holder_is_known(directory: Path, defect: str, deed: str) -> None:
    """Whoever looks learns whose the board is."""
    with run_session(directory, defect, deed) as process:
        found = holder(BOARD)
        assert found is not None, "a board in use looks free"
        assert (found.session, found.pid) == ("first", process.pid), "the holder is not known"


@contextmanager
def run_session(directory: Path, defect: str, deed: str, says: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run a session until the block ends; what it says before it is ready is checked."""
    process = subprocess.Popen(
        [sys.executable, "-c", SESSION.format(defect=defect, deed=deed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=directory,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = ""
        while not said.endswith("ready\n"):
            line = process.stdout.readline()
            assert line, f"the session ended: {said}"
            said += line
        assert said == f"{says}ready\n", "two sessions have one board" if says else said
        yield process
    finally:
        process.kill()
        process.stdin.close()
        process.wait()
        process.stdout.read()  # until children have ended too
        process.stdout.close()


INHERITED = """
really_open = locks.os.open
locks.os.open = lambda *arguments: (lambda fd: (os.set_inheritable(fd, True), fd)[1])(really_open(*arguments))
"""
FORKED = "leases.keep_from_children = lambda descriptor: None"
NEVER_CLOSED = "leases.close_lock = lambda descriptor: None"
NOT_LOCKED = "locks.try_lock = lambda descriptor: True"
NOT_WRITTEN = "leases.encode_record = lambda record: b''"
BREAKS = [
    pytest.param(INHERITED, TOOL, guard_free_after_death, "kept after death", id="inherited by a tool"),
    pytest.param(FORKED, FORK, guard_free_after_death, "kept after death", id="inherited by a fork"),
    pytest.param(NEVER_CLOSED, "", guard_free_after_release, "kept after it was given", id="never closed"),
    pytest.param(NOT_LOCKED, "", guard_one_session_a_board, "two sessions have one", id="not locked"),
    pytest.param(NOT_LOCKED, "", guard_holder_is_known, "looks free", id="not locked, seen by others"),
    pytest.param(NOT_WRITTEN, "", guard_holder_is_known, "holder is not known", id="nobody's name"),
]


@pytest.fixture(autouse=True)
def own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the host's own leases out of the tests."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))


@pytest.mark.parametrize(("defect", "deed", "guard", "notice"), BREAKS)
def test_a_break_is_noticed(tmp_path: Path, defect: str, deed: str, guard: object, notice: str) -> None:
    """As it is the guard lets it pass, with the defect it does not, and for that very reason."""
    assert callable(guard)
    guard(tmp_path, "", deed)

    with pytest.raises(AssertionError, match=notice):
        guard(tmp_path, defect, deed)
