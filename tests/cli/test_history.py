"""``harness history``: the judgement reaches the reader, whole or chosen, and wrong wishes are told."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.history.files import default_file
from harness.history.store import History
from tests.history.attempts import attempt, record
from tests.history.farms import HOUR, Farm

if TYPE_CHECKING:
    from collections.abc import Callable

SESSIONS = 20


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state directory of the test's own."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def twenty_sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of twenty sessions up to an hour ago: a test and a board are flaky, a test is broken."""
    farm = Farm(flaky_tests={3: 0.5}, flaky_boards={2: 0.5}, broken_tests={8: 15}, sessions=SESSIONS)
    began = time.time() - (SESSIONS + 0.5) * HOUR
    file = tmp_path_factory.mktemp("recorded") / "history"
    with History(file) as history:
        record(history, (replace(each, started=began + each.started) for each in farm.attempts(0)))
    return file


@pytest.fixture
def recorded(twenty_sessions: Path) -> Path:
    """A copy of it, where the history is by default."""
    shutil.copy(twenty_sessions, default_file())
    return default_file()


def lines_of(outcome: Any) -> dict[str, str]:
    """Return the lines of the tables by what they are about, blanks counted once."""
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    return {line.partition(" ")[0]: line for line in lines if line}


def test_tables(run: Callable[..., Any], recorded: Path) -> None:
    """From 20 recorded runs: the flaky board, the flaky test and the broken one, each with its reason."""
    outcome = run("history")

    lines = lines_of(outcome)
    assert outcome.code == 0
    assert lines["board"] == "board judgement runs failed verdicts why"
    assert lines["board-2"].split()[1] == "flaky"
    assert "tests; about " in lines["board-2"]
    assert lines["test-3"].split()[1] == "flaky"
    assert "of 4 boards; about " in lines["test-3"]
    assert lines["test-8"].startswith("test-8 broken 20")
    assert lines["test-8"].endswith("failed each of the last 5 times, since 5 h ago")
    others = {name: line.split()[1] for name, line in lines.items() if name.startswith(("test-", "board-"))}
    assert set(others.values()) == {"flaky", "broken", "fine"}
    assert list(others.values()).count("flaky") == 2
    assert outcome.out.endswith("\nDrawn from 20 sessions.\n")


def test_what_is_chosen_is_judged_by_all(run: Callable[..., Any], recorded: Path) -> None:
    """A part of the tests, or one board, is shown; who is to blame follows from everything all the same."""
    board, test = run("history", "--board", "board-2"), run("history", "--test", "test-[13]")
    both = run("history", "--test", "test-3", "--board", "board-2")

    assert {"board-2"} == {name for name in lines_of(board) if name.startswith(("test-", "board-"))}
    assert "flaky" in lines_of(board)["board-2"]
    assert test.code == 4  # brackets are those of parametrized tests
    assert {"board-2", "test-3"} == {name for name in lines_of(both) if name.startswith(("test-", "board-"))}


def test_json(run: Callable[..., Any], recorded: Path) -> None:
    """Programs get the same, with numbers as numbers."""
    data = json.loads(run("history", "--json", "--test", "test-*", "--board", "board-2").out)

    assert data["sessions"] == 20
    assert data["notes"] == []
    assert len(data["tests"]) == 10
    assert data["tests"][0] | {"since": None} == {
        "name": "test-8",
        "project": "suite",
        "judgement": "broken",
        "runs": 20,
        "failures": data["tests"][0]["failures"],
        "partners": 4,
        "failed_with": data["tests"][0]["failed_with"],
        "verdicts": {"product": 5, "rig": 4},
        "rate": None,
        "since": None,
        "reason": "failed each of the last 5 times",
    }
    (board,) = data["boards"]
    assert (board["name"], board["judgement"]) == ("board-2", "flaky")
    assert board["rate"] == pytest.approx(0.5, abs=0.2)
    assert set(board) == set(data["tests"][0]) - {"project"}


def test_since(run: Callable[..., Any], recorded: Path) -> None:
    """What is older does not count."""
    outcome = run("history", "--since", "4h")

    assert outcome.out.endswith("Drawn from 3 sessions.\n")
    assert run("history", "--since", "1w").out.endswith("Drawn from 20 sessions.\n")


def test_projects(run: Callable[..., Any], recorded: Path) -> None:
    """Tests of several projects have its name in front of them, and one may be chosen."""
    with History() as history:
        record(history, [attempt("test-other", project="another", session="another")])

    assert "another: test-other" in run("history").out
    assert "suite: test-3" in run("history").out
    assert set(lines_of(run("history", "--project", "another"))) >= {"test-other", "kit-0"}
    assert "test-3" not in run("history", "--project", "another").out
    wrong = run("history", "--project", "third")
    assert (wrong.code, wrong.err) == (
        4,
        "harness: --project: nothing is known of it (got 'third'); expected another or suite\n",
    )


def test_notes(run: Callable[..., Any], tmp_path: Path) -> None:
    """What is neither a test's fault nor a board's is said below the tables."""
    with History(tmp_path / "h") as history:
        record(history, Farm(bad_sessions={4: 1.0}).attempts(1))

    assert "session run-4 was bad as a whole: 100% failed by it\n" in run("history", "--history", "h").out


def test_nothing_recorded_yet(run: Callable[..., Any]) -> None:
    """Without a history there is nothing to show, which is no failure; and none is made."""
    outcome = run("history")

    assert (outcome.code, outcome.out) == (
        0,
        "No test is in the history: sessions with a bench record theirs, unless --history off.\n",
    )
    assert json.loads(run("history", "--json").out) == {"sessions": 0, "tests": [], "boards": [], "notes": []}
    assert not default_file().exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--test", "x"],
            "--test: no test of the history fits (got 'x'); expected a part of an id",
        ),
        (
            ["--board", "b"],
            "--board: no test of the history ran on it (got 'b'); expected board-0, board-1",
        ),
        (
            ["--since", "now"],
            "--since: no such time (got 'now'); expected a number and s, min, h, d or w",
        ),
        (["--since", "-3d"], "--since: no such time (got '-3d')"),
        (["--history", "missing"], "missing: there is no history; expected a file that --history wrote"),
        (["--history", "text"], "text: the history is damaged (file is not a database)"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, run: Callable[..., Any], recorded: Path) -> None:
    """One message says what does not fit and what would."""
    Path("text").write_text("no history at all")

    outcome = run("history", *arguments)

    assert outcome.code == 4
    assert outcome.err.startswith(f"harness: {message}")
    assert outcome.err.count("\n") == 1
    assert Path("text").read_text() == "no history at all"
