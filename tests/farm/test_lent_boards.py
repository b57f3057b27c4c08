"""Boards that are lent to another worker while their own is killed, and boards that stay as they are."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pytest_plugin.conftest import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = ("--bench", "virtual", "--boards", "toy-a=2", "-n", "auto")
# Each worker says which process it is: in a file by board, anew when it is replaced.
CONFTEST = """
    import os, pathlib, time
    import pytest
    from harness.pytest_plugin.state import SESSION_KEY

    HERE = pathlib.Path(__file__).parent

    def pytest_collection_finish(session):
        harness = session.config.stash[SESSION_KEY]
        for board in harness.own_boards:
            file = HERE / f"{board.id}.new"
            file.write_text(str(os.getpid()))
            file.replace(HERE / f"{board.id}.pid")

    @pytest.fixture
    def worker_of():
        def pid(board, but=0):
            file = HERE / f"{board.id}.pid"
            deadline = time.monotonic() + 60
            while not file.exists() or int(file.read_text()) == but:
                assert time.monotonic() < deadline, f"no other worker of {board.id} came"
                time.sleep(0.02)
            return int(file.read_text())
        return pid
    """
KILLING = """
    import os, signal
    import pytest

    @pytest.mark.board(count=2)
    def test_a_kills_the_other_worker(boards, worker_of):
        for board in boards:
            board.driver.change("x")
        (other,) = (board for board in boards if worker_of(board) != os.getpid())
        killed = worker_of(other)
        os.kill(killed, signal.SIGKILL)
        replacement = worker_of(other, but=killed)
        assert replacement not in {killed, os.getpid()}
        for board in boards:
            assert board.driver.get() == "x"
        print("KILLED", other.id, replacement)

    @pytest.mark.parametrize("number", range(6))
    def test_b_finds_its_board_as_it_should_be(board, number):
        assert board.driver.get() == ""
        print("RAN", board.id, os.getpid())
    """
KEEPING = """
    import pytest

    @pytest.mark.board(count=2)
    def test_a_fails(boards):
        for board in boards:
            board.driver.change("kept")
        assert len(boards) == 0

    @pytest.mark.board(each="board")
    def test_b_gets_none(board): ...
    """


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """A suite of two boards."""
    runtime = Path(tempfile.mkdtemp(prefix="hf"))
    suite = Suite(tmp_path, runtime, measured=False)
    suite.write("conftest.py", CONFTEST)
    yield suite
    shutil.rmtree(runtime)


def test_the_worker_of_a_lent_board_is_killed(suite: Suite) -> None:
    """The test goes on undisturbed; the replacement leaves the board alone until it is given back."""
    suite.write("test_it.py", KILLING)

    result = suite.run(*BOARDS)

    assert result.code == 0, result
    assert result.lines_with("7 collected = 7 passed + 0 failed + 0 skipped + 0 not run")
    (killed,) = (line.split()[1:] for line in result.lines_with("KILLED "))
    users = {tuple(line.split()[1:]) for line in result.out.splitlines() if line.startswith("RAN ")}
    assert len(users) == 2, "one process for each board"
    assert tuple(killed) in users, "the replacement runs tests on its board"
    assert [line for line in suite.log if line.startswith("recover ")] == []
    assert suite.left_behind == []


def test_what_a_test_of_several_boards_keeps(suite: Suite) -> None:
    """With ``--keep`` also the worker that only lent its board leaves it as it is."""
    suite.write("test_it.py", KEEPING)

    result = suite.run(*BOARDS, "--keep")

    assert result.code == 1, result
    assert result.lines_with("3 collected = 0 passed + 1 failed + 2 skipped + 0 not run"), result
    for board in ("toy-a-0", "toy-a-1"):
        assert result.lines_with(f"is kept (--keep): {board} as test_it.py::test_a_fails left it")
    assert [line for line in suite.log if line.startswith(("restore", "recover"))] == []
