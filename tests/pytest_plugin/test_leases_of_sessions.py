"""Leases as sessions have them: who reads what of them, waiting, interrupting, and warnings."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory.board import Board
from harness.inventory.leases import Lease, Leases, holder
from harness.pytest_plugin.lease_notes import LeaseNotes
from harness.virtual.launcher import RunningBench, start_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite

# Looks at its own board's lease as any other process would; the controller hears of a worker's test a moment
# after it began.
LOOKING = """
import os, time
from harness.inventory.leases import holder
import pytest

def read(board):
    mine = os.environ["PYTEST_CURRENT_TEST"].split()[0]
    deadline = time.monotonic() + 20
    while (found := holder(board.description)).test != mine and time.monotonic() < deadline:
        time.sleep(0.01)
    print("READ", found.test)

def test_first(board):
    read(board)

@pytest.mark.parametrize("number", range(3))
def test_each(board, number):
    read(board)
"""


@pytest.fixture
def bench(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBench]:
    """A bench that runs beside the sessions."""
    for name in ("HARNESS_PLUGINS", "PYTHONPATH", "TOY_LOG"):
        monkeypatch.setenv(name, suite.environment[name])
    with start_bench(suite.runtime / "bench", [("toy-a", None, {}), ("toy-b", None, {})]) as running:
        yield running


def boards(bench: RunningBench) -> list[Board]:
    """The two boards of the bench."""
    return [
        Board(id=name, kind=name[:5], driver="toy", bench=str(bench.socket))
        for name in ("toy-a-0", "toy-b-1")
    ]


@pytest.mark.parametrize("workers", [(), ("-n", "auto")], ids=["one-process", "workers"])
def test_others_read_which_test_a_board_is_in(suite: Suite, workers: tuple[str, ...]) -> None:
    """While a test runs its board's lease names it; in one process and in workers."""
    suite.write("test_it.py", LOOKING)

    result = suite.run("--bench", "virtual", "--boards", "2", *workers)

    assert result.code == 0, result
    read = sorted(line.split()[1] for line in result.lines_with("READ "))
    assert read == [
        "test_it.py::test_each[0]",
        "test_it.py::test_each[1]",
        "test_it.py::test_each[2]",
        "test_it.py::test_first",
    ]


def test_between_tests_no_test_is_read(suite: Suite, bench: RunningBench) -> None:
    """A test without a board is noted on none, and after a test, or its worker's death, its note is gone."""
    (board, _) = boards(bench)
    with Leases("s") as leases:
        leases.take(boards(bench), deadline=0)
        running = {"t1": ["toy-a-0"], "t2": [], "t3": ["toy-b-1", "toy-a-0"]}
        notes = LeaseNotes(leases, running.__getitem__, {"gw0": "toy-a-0", "gw1": None, "gw2": "toy-b-1"})

        def noted(board: Board = board) -> str | None:
            found = holder(board)
            assert found is not None
            return found.test

        notes.pytest_runtest_logstart("t1")
        notes.pytest_runtest_logstart("t2")
        notes.pytest_runtest_logfinish("t2")
        assert noted() == "t1"
        notes.pytest_runtest_logfinish("t1")
        assert noted() is None

        notes.pytest_runtest_logstart("t1")
        for worker in ("gw1", "gw7"):
            notes.pytest_testnodedown(Node(worker))
        assert noted() == "t1"
        notes.pytest_testnodedown(Node("gw0"))
        assert noted() is None

        for crashes in (False, True):
            notes.pytest_runtest_logstart("t3")
            notes.pytest_testnodedown(Node("gw0"))  # its board is only lent
            assert [noted(each) for each in boards(bench)] == ["t3", "t3"]
            if crashes:
                notes.pytest_testnodedown(Node("gw2"))
            else:
                notes.pytest_runtest_logfinish("t3")
            assert [noted(each) for each in boards(bench)] == [None, None]


class Node:
    """A worker, as xdist's hooks hand it over."""

    def __init__(self, name: str) -> None:
        self.gateway: Any = type("Gateway", (), {"id": name})


def test_a_worker_that_dies_leaves_no_note(suite: Suite) -> None:
    """The test that it died in is not shown any more when its replacement runs the next."""
    suite.write(
        "test_it.py",
        """
        import os, time
        from harness.inventory.leases import holder

        def test_a_dies(board):
            os._exit(9)

        def test_b_looks(board):
            deadline = time.monotonic() + 20
            while "dies" in str(holder(board.description).test) and time.monotonic() < deadline:
                time.sleep(0.01)
            print("READ", holder(board.description).test)
        """,
    )

    result = suite.run("--bench", "virtual", "--boards", "1", "-n", "1")

    assert result.code == 1
    (line,) = result.lines_with("READ ")
    assert line.split()[1] in {"None", "test_it.py::test_b_looks"}


@pytest.mark.parametrize("workers", [(), ("-n", "2"), ("-n", "auto")], ids=["one", "two", "auto"])
def test_ctrl_c_while_waiting(suite: Suite, bench: RunningBench, workers: tuple[str, ...]) -> None:
    """No traceback, no test, nothing left behind; the boards stay with whoever holds them."""
    suite.write("test_it.py", "def test_it(board): print('RAN')")
    other = Leases("theirs")
    other.take(boards(bench), deadline=0)
    process = suite.start(
        "--bench", f"virtual={bench.socket}", "--boards", "1", "--lease-deadline", "90", *workers
    )
    assert process.stdout is not None
    said = process.stdout.readline()

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)

    assert said.startswith("harness: waiting for boards, 90 s at most: boards toy-a-0, toy-b-1 are leased by")
    assert process.returncode == 2, out
    assert "Traceback" not in out
    assert "INTERNALERROR" not in out
    assert "RAN" not in out
    assert suite.left_behind == []
    assert all(found is not None and found.session == "theirs" for found in map(holder, boards(bench)))
    other.close()


def test_who_is_waited_for_is_told(suite: Suite, bench: RunningBench) -> None:
    """Waiting is told while it lasts, and a session that gets its boards goes on by itself."""
    suite.write("test_it.py", "def test_it(board): print('RAN', board.id)")
    lease = Lease(boards(bench)[1], "theirs", deadline=0)
    lease.note_test("their.py::test")
    process = suite.start("--bench", f"virtual={bench.socket}", "--boards", "2", "--lease-deadline", "90")
    assert process.stdout is not None
    said = process.stdout.readline()

    lease.release()
    out, _ = process.communicate(timeout=60)

    assert re.match(
        r"harness: waiting for boards, 90 s at most: board toy-b-1 \(in their\.py::test\) is leased by"
        rf" session theirs of \S+ \(pid {os.getpid()} on ",
        said,
    )
    assert "harness: the boards are free, after " in out
    assert process.returncode == 0, out


def test_the_header_warns_of_leases_that_are_not_shared(suite: Suite, tmp_path: Path) -> None:
    """Once, with what mends it; virtual boards need no directory of the host's and get no warning."""
    (tmp_path / "leases").mkdir(mode=0o755)
    suite.environment["HARNESS_LEASE_DIR"] = str(tmp_path / "leases")
    suite.write("test_it.py", "def test_it(board): pass")
    suite.write(
        "conftest.py",
        """
        from harness.inventory.board import Board

        def harness_discover_boards(settings):
            if settings.bench.kind == "attached":
                return [Board(id=name, kind="toy-a", driver="toy") for name in ("x", "y")]
        """,
    )

    attached = suite.run("--bench", "attached")
    virtual = suite.run("--bench", "virtual")

    assert attached.code == 0, attached
    (line,) = attached.lines_with("WARNING: leases")
    assert line.startswith("harness: WARNING: leases are not shared by all users: ")
    assert f"sudo install -d -o root -m 1777 {tmp_path}/leases" in line
    assert virtual.lines_with("WARNING: leases") == []
