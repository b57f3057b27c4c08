"""``--rig-retries``: what the rig broke is tried on another board, is seen, and hides nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.farm.accounted import empty_suite, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite

TWO_WORKERS = ("--boards", "toy-a=2,toy-b=1", "-n", "3")
ONE_PROCESS = ("--boards", "toy-a=2,toy-b=1")

BREAKING = """
    import pathlib, pytest
    from harness.errors import RigFault

    HERE = pathlib.Path(__file__).parent
    TOYS = pytest.mark.board(kind="toy-a")

    def note(test, board):
        before = HERE / f"{test}.boards"
        boards = before.read_text().split() if before.exists() else []
        before.write_text(" ".join([*boards, board.id]))
        return len(boards)

    @pytest.fixture(scope="module")
    def made_at_the_second_try():
        made = HERE / "made"
        if not made.exists():
            made.touch()
            raise RigFault("no power for anybody")

    @pytest.fixture
    def wrong_afterwards():
        yield
        raise ValueError("no number")

    @pytest.fixture
    def breaks_afterwards():
        yield
        raise RigFault("the switch is stuck")

    @TOYS
    def test_breaks_once(board):
        if note("once", board) == 0:
            raise RigFault("no power")

    @TOYS
    def test_breaks_and_is_wrong(board):
        if note("wrong", board) == 0:
            raise RigFault("no power")
        assert False, "the product is wrong"

    @TOYS
    def test_breaks_always(board):
        note("always", board)
        raise RigFault("no power")

    @TOYS
    def test_wrong(board):
        note("product", board)
        assert False, "the product is wrong"

    @TOYS
    def test_breaks_afterwards(board, breaks_afterwards):
        note("afterwards", board)

    @TOYS
    def test_breaks_and_wrong_afterwards(board, wrong_afterwards):
        note("both", board)
        raise RigFault("no power")

    @pytest.mark.board(kind="toy-b")
    def test_breaks_on_the_only_board(board):
        note("only", board)
        raise RigFault("no power")

    @TOYS
    class TestOfOneInstance:
        def test_in_class(self, board):
            assert not hasattr(self, "used")
            self.used = True
            if note("class", board) == 0:
                raise RigFault("no power")

    @TOYS
    def test_made_late(board, made_at_the_second_try):
        pass
"""
OUTCOMES = {
    "test_breaks_once": "passed",
    "test_breaks_and_is_wrong": "failed",
    "test_breaks_always": "failed",
    "test_wrong": "failed",
    "test_breaks_afterwards": "failed",
    "test_breaks_and_wrong_afterwards": "failed",
    "test_breaks_on_the_only_board": "failed",
    "test_in_class": "passed",
    "test_made_late": "passed",
}
RETRIED = {
    "test_breaks_once",
    "test_breaks_and_is_wrong",
    "test_breaks_always",
    "test_in_class",
    "test_made_late",
}
VERDICTS = {
    "test_breaks_once": None,
    "test_breaks_and_is_wrong": "product",
    "test_breaks_always": "rig",
    "test_wrong": "product",
    "test_breaks_afterwards": "rig",
    "test_breaks_and_wrong_afterwards": "suite",
    "test_breaks_on_the_only_board": "rig",
    "test_in_class": None,
    "test_made_late": None,
}


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """An empty suite."""
    with empty_suite(tmp_path) as suite:
        yield suite


@pytest.mark.parametrize("how", [TWO_WORKERS, ONE_PROCESS], ids=["workers", "one process"])
def test_only_what_the_rig_broke_is_tried_again(suite: Suite, how: tuple[str, ...]) -> None:
    """Once, on another board; the last try is the outcome, and the tries before it are in every report."""
    suite.write("test_it.py", BREAKING)

    session = run(suite, *how, "--rig-retries=1", "-v")

    session.check(OUTCOMES)
    assert session.outcomes == OUTCOMES
    assert session.accounts.verdicts == VERDICTS
    retried = {test["nodeid"].rpartition("::")[2]: test["retried"] for test in session.summary["tests"]}
    assert {test for test, tries in retried.items() if tries} == RETRIED
    assert session.summary["accounts"]["retried"] == len(RETRIED)
    for book in session.accounts.books[:2]:  # JUnit's and Allure's
        assert {test for test, tries in book.attempts.items() if tries == 2} == RETRIED, book
    for line in (" + 0 not run, 5 retried", " 5 retried in ", "on another board (--rig-retries)"):
        assert line in session.out
    assert session.out.count("retried: test_it.py::") == len(RETRIED)
    assert " RETRIED " in session.out
    check_boards(suite)


def check_boards(suite: Suite) -> None:
    """Each second try was on another board, and nothing was tried twice that may not be."""
    boards = {file.stem: file.read_text().split() for file in suite.directory.glob("*.boards")}
    for name in ("once", "wrong", "always", "class"):
        assert sorted(boards[name]) == ["toy-a-0", "toy-a-1"], name
    for name in ("product", "afterwards", "both", "only"):
        assert len(boards[name]) == 1, name


ONCE = """
    import pathlib, pytest
    from harness.errors import RigFault

    BROKEN = pathlib.Path(__file__).with_name("broken")

    @pytest.mark.parametrize("number", range(5))
    def test_it(board, number):
        if number == 0 and not BROKEN.exists():
            BROKEN.touch()
            raise RigFault("no power")
"""


def test_a_try_that_does_not_count_ends_no_session(suite: Suite) -> None:
    """``-x`` and ``--sw`` go by the last try, as does the cache of what failed last."""
    suite.write("test_it.py", ONCE)

    session = run(suite, "--boards", "toy-a=2", "-n", "2", "--rig-retries=1", "-x", "--sw")

    session.check([f"test_it[{number}]" for number in range(5)], code=0)
    assert session.summary["accounts"]["retried"] == 1
    cache = suite.directory / ".pytest_cache/v/cache/lastfailed"
    assert not cache.exists() or json.loads(cache.read_text()) == {}


DYING = """
    import os, pytest, signal
    from harness.errors import RigFault

    @pytest.fixture
    def dies_afterwards():
        yield
        os.kill(os.getpid(), signal.SIGKILL)

    def test_breaks_and_dies(board, dies_afterwards):
        raise RigFault("no power")
"""


def test_a_crash_after_a_failure_of_the_rig(suite: Suite) -> None:
    """It counts, with what went before it."""
    suite.write("test_it.py", DYING)

    session = run(suite, "--boards", "toy-a=2", "-n", "2", "--rig-retries=2")
    session.check(["test_breaks_and_dies"])
    assert session.summary["accounts"]["retried"] == 0
    assert "no power" in session.allure_of("test_breaks_and_dies")["statusDetails"]["trace"]
    assert "no power" in (suite.directory / "junit.xml").read_text()
