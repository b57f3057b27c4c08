"""Plugins that end tests or run them again themselves: their tests are in one account, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.farm.accounted import empty_suite, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """An empty suite."""
    with empty_suite(tmp_path) as suite:
        yield suite


SLOW = """
    import pytest

    @pytest.mark.timeout(1.5)
    def test_interrupted(board):
        board.console.expect("nothing", timeout=60)

    @pytest.mark.timeout(1.5, method="thread")
    def test_process_ended(board):
        board.console.expect("nothing", timeout=60)

    def test_after(board):
        board.driver.get()
"""


def test_pytest_timeout(suite: Suite) -> None:
    """Its alarm goes off although ours is set, too; where it ends the process the worker has died."""
    suite.write("test_it.py", SLOW)

    session = run(suite, "--boards", "toy-a=1", "-n", "1", "--timeout", "50")

    session.check(["test_interrupted", "test_process_ended", "test_after"])
    assert session.outcomes == {
        "test_interrupted": "failed",
        "test_process_ended": "failed",
        "test_after": "passed",
    }
    assert "Timeout (>1.5s)" in session.accounts.reasons["test_interrupted"]
    assert "crashed" in session.accounts.reasons["test_process_ended"]


RERUN = """
    import os, pathlib, pytest, signal

    HERE = pathlib.Path(__file__).parent

    def first_time(name):
        try:
            (HERE / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @pytest.fixture
    def broken_once():
        assert not first_time("fixture"), "broken"

    def test_wrong_once(board):
        assert not first_time("wrong"), "wrong"

    def test_broken_once(board, broken_once):
        pass

    def test_wrong_always(board):
        assert False

    def test_dies_once(board):
        if first_time("dies"):
            os.kill(os.getpid(), signal.SIGKILL)

    def test_dies_always(board):
        os.kill(os.getpid(), signal.SIGKILL)

    def test_parts(board, subtests):
        for number in range(2):
            with subtests.test(number=number):
                assert number == 0 or not first_time("parts")

    def test_good(board):
        pass
"""
RERUN_OUTCOMES = {
    "test_wrong_once": "passed",
    "test_broken_once": "passed",
    "test_wrong_always": "failed",
    "test_dies_once": "passed",
    "test_dies_always": "failed",
    "test_parts": "passed",
    "test_good": "passed",
}


def test_pytest_rerunfailures(suite: Suite) -> None:
    """Failures and crashes that it tries again are no outcomes, and are seen as tries before the last one."""
    suite.write("test_it.py", RERUN)

    session = run(suite, "--boards", "toy-a=2", "-n", "2", "--reruns", "1")

    session.check(RERUN_OUTCOMES)
    assert session.outcomes == RERUN_OUTCOMES
    retried = {test["nodeid"].rpartition("::")[2]: len(test["retried"]) for test in session.summary["tests"]}
    assert retried == {test: int(test != "test_good") for test in RERUN_OUTCOMES}
    assert session.accounts.verdicts["test_wrong_once"] is None
