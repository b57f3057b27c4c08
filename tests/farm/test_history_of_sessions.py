"""Whole sessions and their history: kept by one that is killed, used by the next one."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from harness.history.store import History
from tests.farm.accounted import empty_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.history.attempts import Attempt
    from tests.pytest_plugin.conftest import Result, Suite

TESTS = """
    import os, signal, time
    import pytest

    @pytest.fixture(autouse=True)
    def noted(request):
        with open("order", "a") as order:
            order.write(request.node.name + "\\n")

    @pytest.mark.board(kind="toy-a")
    @pytest.mark.parametrize("seconds", [0.1, 0.5, 0.3])
    def test_of(board, seconds):
        time.sleep(seconds)

    @pytest.mark.board(kind="toy-a")
    def test_last(board):
        if "KILL" in os.environ:
            os.kill(os.getppid(), signal.SIGKILL)

    @pytest.mark.board(kind="toy-b")
    def test_crash(board):
        if "KILL" not in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)

    @pytest.mark.board(kind="toy-b")
    def test_fails(board):
        assert not "this"

    @pytest.mark.skip
    def test_skipped():
        pass
    """
OPTIONS = ("--bench", "virtual", "--boards", "toy-a=1,toy-b=1", "-n", "2", "-o", "harness_project=toys")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The suite of all sessions here."""
    with empty_suite(tmp_path_factory.mktemp("past")) as suite:
        suite.write("test_it.py", TESTS)
        yield suite


def attempts_in(file: Path) -> dict[tuple[str, str], Attempt]:
    """Return what was recorded, by session and test."""
    with History(file, read_only=True) as history:
        return {(each.session, each.test.partition("::")[2]): each for each in history.attempts()}


@pytest.fixture(scope="module")
def killed(suite: Suite) -> dict[tuple[str, str], Attempt]:
    """What a session recorded until it was killed."""
    suite.environment["KILL"] = "yes"
    done = suite.run(*OPTIONS)
    del suite.environment["KILL"]
    assert done.code == -signal.SIGKILL, done
    return attempts_in(suite.directory / "state" / "history.sqlite3")


@pytest.fixture(scope="module")
def next_one(suite: Suite, killed: dict[tuple[str, str], Attempt]) -> tuple[Result, list[str]]:
    """The session after it, and in which order its tests were run."""
    order = suite.directory / "order"
    order.unlink()
    done = suite.run(*OPTIONS, "--summary=s.html", "--history=state/history.sqlite3")
    return done, order.read_text().split()


def test_killed_session_keeps_what_it_had(killed: dict[tuple[str, str], Attempt]) -> None:
    """Each attempt was written when it ended, with its board and its blame."""
    assert len({session for session, _ in killed}) == 1
    by_test = {test: attempt for (_, test), attempt in killed.items()}
    assert {f"test_of[{seconds}]" for seconds in (0.1, 0.5, 0.3)} <= set(by_test)
    assert "test_last" not in by_test
    for seconds in (0.1, 0.5, 0.3):
        attempt = by_test[f"test_of[{seconds}]"]
        assert attempt.seconds >= seconds
        assert (attempt.outcome, attempt.board, attempt.kind) == ("passed", "toy-a-0", "toy-a")
        assert attempt.project == "toys"


def test_next_session_begins_with_the_longest(
    killed: dict[tuple[str, str], Attempt], next_one: tuple[Result, list[str]]
) -> None:
    """Its durations are those of the killed one, and the user is told of how many there are."""
    done, order = next_one
    took = {test: attempt.seconds for (_, test), attempt in killed.items() if test.startswith("test_of")}

    (told,) = done.lines_with("durations known of")
    assert re.fullmatch(r"harness: durations known of [34] of 7 tests", told)
    ran = [name for name in order if name.startswith("test_of")]
    # They took what they were written to take, and what a busy machine added.
    assert len(ran) == 3
    assert ran == sorted(took, key=took.__getitem__, reverse=True)


def test_all_that_happened_is_recorded(suite: Suite, next_one: tuple[Result, list[str]]) -> None:
    """Crash, failure and skip too; both sessions are in the one file."""
    found = attempts_in(suite.directory / "state" / "history.sqlite3")

    sessions = dict.fromkeys(session for session, _ in found)
    assert len(sessions) == 2
    latest = {test: attempt for (session, test), attempt in found.items() if session == list(sessions)[1]}
    assert {test: (each.outcome, each.verdict, each.board) for test, each in latest.items()} == {
        **{f"test_of[{seconds}]": ("passed", "", "toy-a-0") for seconds in (0.1, 0.5, 0.3)},
        "test_last": ("passed", "", "toy-a-0"),
        "test_crash": ("failed", "suite", "toy-b-1"),
        "test_fails": ("failed", "product", "toy-b-1"),
        "test_skipped": ("skipped", "", ""),
    }, next_one[0]


def test_pace_is_told(suite: Suite, next_one: tuple[Result, list[str]]) -> None:
    """From the first start to the last end, beside the bound, on the terminal and in the summary."""
    (line,) = next_one[0].lines_with("first start to last end")
    pace: dict[str, Any] = json.loads((suite.directory / "s.json").read_text())["pace"]

    times = pace["seconds"] / pace["bound"]
    assert line == f"first start to last end {pace['seconds']:.1f} s, {times:.2f} x the bound"
    assert pace["seconds"] >= pace["bound"] >= 0.9
    assert "x the bound" in (suite.directory / "s.html").read_text()


def test_file_that_is_no_history(suite: Suite) -> None:
    """Nothing is run when a file was named that is something else."""
    text = suite.write("text", "no history")

    done = suite.run(*OPTIONS, "--history", "text")

    assert done.code == 4
    assert done.err.count("ERROR: ") == 1
    assert "text: the history is damaged (file is not a database); nothing was changed in it" in done.err
    assert text.read_text() == "no history"
