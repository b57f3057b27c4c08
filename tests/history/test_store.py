"""The history: what was recorded is there at once, durations are those of one kind, the old is forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import RigFault
from harness.history import store
from harness.history.attempts import NO_KIND
from harness.history.store import LONGEST_SECONDS, RECENT, History
from tests.history.attempts import attempt, record

if TYPE_CHECKING:
    from pathlib import Path

    from harness.history.attempts import Attempt

RECORD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from harness.history.store import History
from harness.plugins import load_plugins
from tests.history.attempts import attempt
load_plugins()  # as every process of a session does: a break is one of them
recording = History(Path(sys.argv[1])).begin("run", 1.0)
for number in range(int(sys.argv[2])):
    recording.record(attempt(attempt=number + 1))
os.kill(os.getpid(), signal.SIGKILL)
"""
RECORD = """
import sys
from pathlib import Path
from harness.history.store import History
from tests.history.attempts import attempt, record
with History(Path(sys.argv[1])) as history:
    record(history, (attempt(f"test_{n}", session=sys.argv[2]) for n in range(20)))
"""


def test_attempts_come_back_as_they_were(history: History) -> None:
    """Whatever is said of an attempt is what is read of it."""
    attempts = [
        attempt(started=1.0),
        attempt("test_b", others=("kit-1", "kit-2"), outcome="failed", verdict="rig", started=2.0),
        attempt("test_c", kind=NO_KIND, board="", outcome="skipped", seconds=0.0, started=3.0),
        attempt(attempt=2, started=4.0, project="another"),
    ]

    record(history, attempts, began=0.5)

    assert history.attempts() == attempts
    assert history.attempts(project="suite", since=2.0) == attempts[1:3]
    assert history.sessions == [("run", 0.5)]
    assert history.projects == ["another", "suite"]


def test_two_sessions_have_the_same_test(history: History) -> None:
    """A test is known by its project and its id, in whichever session it runs."""
    record(history, [attempt(session="one"), attempt(session="two", started=200.0)])

    assert [each.session for each in history.attempts()] == ["one", "two"]


def test_duration_is_the_median_of_the_last_that_passed(history: History) -> None:
    """Five count: neither older ones, nor what failed or was skipped, however long it took."""
    seconds = [90.0, 90.0, 80.0, 2.0, 3.0, 50.0, 4.0]
    passed = [attempt(seconds=each, attempt=n + 1, started=n) for n, each in enumerate(seconds)]
    others = [
        attempt(outcome="failed", seconds=900.0, attempt=10, started=5.3),
        attempt(outcome="failed", seconds=900.0, attempt=12, started=5.4),
        attempt(outcome="skipped", seconds=0.0, attempt=11, started=5.6),
    ]

    record(history, [*passed[:-1], *others, passed[-1]])

    assert history.expected_seconds("suite") == {"test_a.py::test_it": {"kit": 4.0}}


def test_test_that_never_passed_has_no_duration(history: History) -> None:
    """A failure says nothing of how long the test takes."""
    record(history, [attempt(outcome="failed"), attempt("test_b", outcome="skipped")])

    assert history.expected_seconds("suite") == {}


def test_durations_are_those_of_one_kind(history: History) -> None:
    """What is known of one kind of board, or of a test without one, is never another's."""
    record(
        history,
        [
            attempt(seconds=1.0),
            attempt(seconds=5.0, kind="large kit", attempt=2),
            attempt("test_b", kind=NO_KIND, board="", seconds=0.5),
            attempt(seconds=7.0, project="another"),
        ],
    )

    assert history.expected_seconds("suite") == {
        "test_a.py::test_it": {"kit": 1.0, "large kit": 5.0},
        "test_b": {NO_KIND: 0.5},
    }
    assert history.expected_seconds("nothing known") == {}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["kit", "large kit"]),
            st.sampled_from(["passed", "failed", "skipped"]),
            st.integers(1, 50),
        ),
        max_size=40,
    )
)
def test_durations_follow_a_model(
    rows: list[tuple[str, str, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever comes in whichever order, durations are what a plain computation says."""
    expected: dict[str, dict[str, list[float]]] = {}
    attempts: list[Attempt] = []
    for number, (test, kind, outcome, seconds) in enumerate(rows):
        attempts.append(
            attempt(test, kind=kind, outcome=outcome, seconds=seconds, started=number, attempt=number + 1)
        )
        if outcome == "passed":
            expected.setdefault(test, {}).setdefault(kind, []).append(seconds)

    with History(tmp_path_factory.mktemp("model") / "h") as history:
        record(history, attempts)

        assert history.expected_seconds("suite") == {
            test: {kind: median(seconds[-RECENT:]) for kind, seconds in kinds.items()}
            for test, kinds in expected.items()
        }


def test_survives_death_at_once(file: Path) -> None:
    """What was recorded is there although its process was killed the moment after."""
    died = subprocess.run([sys.executable, "-c", RECORD_AND_DIE, file, "3"], check=False)

    assert died.returncode == -signal.SIGKILL
    with History(file) as history:
        assert [each.attempt for each in history.attempts()] == [1, 2, 3]


def test_several_sessions_write_at_once(file: Path) -> None:
    """Sessions that begin and end together, the file not being there yet, lose nothing."""
    writers = [subprocess.Popen([sys.executable, "-c", RECORD, file, f"run-{n}"]) for n in range(4)]

    assert [writer.wait(60) for writer in writers] == [0] * 4
    with History(file) as history:
        assert len(history.attempts()) == 80
        assert len(history.sessions) == 4


def test_old_sessions_are_forgotten(history: History) -> None:
    """What is older than half a year goes, with the tests of which nothing else is known."""
    now = time.time()
    old = now - LONGEST_SECONDS - 1
    record(history, [attempt(session="old"), attempt("test_gone", session="old")], began=old)
    record(history, [attempt(session="new", seconds=3.0, started=200.0)], began=now - LONGEST_SECONDS + 60)

    assert history.forget(now) == 1

    assert [each.session for each in history.attempts()] == ["new"]
    assert list(history.expected_seconds("suite")) == ["test_a.py::test_it"]
    assert history.forget(now) == 0


def test_oldest_of_too_many_are_forgotten(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole sessions go, the oldest first, until the rest is few enough."""
    monkeypatch.setattr(store, "MOST_ATTEMPTS", 5)
    for number in range(4):
        tests = [attempt(f"test_{n}", session=f"run-{number}") for n in range(2)]
        record(history, tests, began=100.0 + number)

    assert history.forget(200.0) == 2

    assert [name for name, _ in history.sessions] == ["run-2", "run-3"]
    assert len(history.attempts()) == 4


def test_many_in_one_session_are_forgotten_too(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that alone is too large does not stay for ever."""
    monkeypatch.setattr(store, "MOST_ATTEMPTS", 1)
    record(history, [attempt(f"test_{n}") for n in range(3)], began=1.0)

    assert history.forget(2.0) == 1
    assert history.attempts() == []


def test_attempt_that_was_recorded_already(history: History) -> None:
    """The same attempt twice is a mistake of ours, and leaves the first one alone."""
    recording = history.begin("run", 1.0)
    recording.record(attempt(seconds=1.0))

    with pytest.raises(Exception, match="UNIQUE"):
        recording.record(attempt(seconds=2.0))

    assert [each.seconds for each in history.attempts()] == [1.0]


def test_busy_for_too_long(history: History, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot write for too long is told so, and may go on without."""
    monkeypatch.setattr("harness.history.files.BUSY_SECONDS", 0.05)
    with History(file) as other, history.change():
        with pytest.raises(RigFault, match=r"the history .* cannot be used: database is locked"):
            other.begin("run", 1.0)
        assert other.attempts() == []  # readers wait for nobody


def test_change_is_undone_when_it_fails(history: History) -> None:
    """Several things are done at once or not at all."""
    with pytest.raises(ZeroDivisionError), history.change() as database:
        database.execute("INSERT INTO sessions (id, began) VALUES ('run', 1)")
        raise ZeroDivisionError

    assert history.sessions == []


def test_closing_twice(file: Path) -> None:
    """Closing is idempotent, and whoever reads afterwards is told."""
    history = History(file)
    history.close()
    history.close()

    with pytest.raises(RigFault, match="closed database"):
        history.attempts()
    assert os.access(file, os.R_OK)
