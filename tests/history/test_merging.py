"""Histories joined: nothing twice, nothing lost, nothing taken from what is damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.history.merging import Merged, merge_from
from harness.history.store import History
from tests.history.attempts import attempt, record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The history of another runner."""
    file = tmp_path / "other"
    with History(file) as history:
        record(
            history,
            [attempt(session="theirs", seconds=3.0, started=300.0), attempt("test_b", session="theirs")],
        )
    return file


def test_merging(history: History, other: Path) -> None:
    """Their attempts come to ours, and durations are those of all; once more it changes nothing."""
    record(history, [attempt(seconds=1.0)])

    assert merge_from(history, other) == Merged(sessions=1, attempts=2)
    everything = history.attempts()
    assert merge_from(history, other) == Merged(sessions=0, attempts=0)

    assert history.attempts() == everything
    assert {(each.session, each.test) for each in everything} == {
        ("run", "test_a.py::test_it"),
        ("theirs", "test_a.py::test_it"),
        ("theirs", "test_b"),
    }
    assert history.expected_seconds("suite") == {"test_a.py::test_it": {"kit": 2.0}, "test_b": {"kit": 1.0}}


def test_history_that_has_grown(history: History, other: Path) -> None:
    """Of a session that was merged before it was over the rest comes the next time."""
    merge_from(history, other)
    with History(other) as theirs, theirs.change() as database:
        database.execute("INSERT INTO tests (project, name) VALUES ('suite', 'test_late')")
        database.execute(
            "INSERT INTO attempts SELECT 3, session, 1, kind, board, others, outcome, verdict, 9.0, 900.0"
            " FROM attempts LIMIT 1"
        )

    assert merge_from(history, other) == Merged(sessions=0, attempts=1)
    assert history.expected_seconds("suite")["test_late"] == {"kit": 9.0}


def test_two_sessions_of_one_id(history: History, other: Path) -> None:
    """Two runners may have chosen the same id at another time; they stay two sessions."""
    record(history, [attempt(session="theirs")], began=49.0)

    assert merge_from(history, other) == Merged(sessions=1, attempts=2)
    assert len(history.attempts()) == 3


def test_other_is_being_written_to(history: History, other: Path) -> None:
    """What a living session has recorded so far is merged, and it is not kept from going on."""
    with History(other) as theirs:
        recording = theirs.begin("living", 400.0)
        recording.record(attempt(started=400.0))

        assert merge_from(history, other).attempts == 3
        recording.record(attempt("test_c", started=401.0))


def test_other_may_only_be_read(history: History, other: Path) -> None:
    """One on a medium that may not be written to is merged, and stays as it is."""
    before = other.read_bytes()
    other.chmod(0o400)

    assert merge_from(history, other).attempts == 2
    assert other.read_bytes() == before


def damage_nothing_but_rows(file: Path, statement: str) -> None:
    """Change rows of a history in a way that it would never do itself."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(statement)
        database.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attempts SET outcome = 'exploded'",
        "UPDATE attempts SET seconds = -1",
        "UPDATE attempts SET others = 'no list'",
        "DELETE FROM tests",
        "DELETE FROM sessions",
    ],
)
def test_nothing_is_taken_from_a_damaged_one(history: History, other: Path, statement: str) -> None:
    """Rows that no history has are an error that names the file, and ours is as it was."""
    record(history, [attempt()])
    before = history.attempts()
    damage_nothing_but_rows(other, statement)

    with pytest.raises(UsageError, match=r"other: the history is damaged .*nothing was taken from it"):
        merge_from(history, other)

    assert history.attempts() == before
    assert [name for name, _ in history.sessions] == ["run"]


def test_other_is_cut_off(history: History, other: Path) -> None:
    """Half a file is no history to take from."""
    other.write_bytes(other.read_bytes()[: 4096 * 3])

    with pytest.raises(UsageError, match="other: the history is damaged"):
        merge_from(history, other)


def test_other_is_none(history: History, tmp_path: Path) -> None:
    """A file that is not there is an error that names it."""
    with pytest.raises(UsageError, match="missing: there is no history"):
        merge_from(history, tmp_path / "missing")


@settings(max_examples=6, deadline=None)
@given(
    parts=st.lists(
        st.dictionaries(
            st.tuples(
                st.sampled_from(["one", "two", "three"]), st.sampled_from(["a", "b"]), st.integers(1, 3)
            ),
            st.integers(1, 9),
            max_size=8,
        ),
        min_size=2,
        max_size=3,
    ),
    seed=st.randoms(use_true_random=False),
)
def test_order_does_not_matter(parts: list[dict[tuple[str, str, int], int]], seed: object) -> None:
    """However often and in whichever order parts are merged, the whole is the same."""
    import tempfile
    from pathlib import Path
    from random import Random

    assert isinstance(seed, Random)
    known: dict[tuple[str, str, int], int] = {}
    with tempfile.TemporaryDirectory() as directory:
        files = []
        for number, part in enumerate(parts):
            file = Path(directory) / str(number)
            files.append(file)
            attempts = [
                # What an attempt came to is the same, whoever tells of it.
                attempt(
                    test, session=session, attempt=n, seconds=known.setdefault((session, test, n), seconds)
                )
                for (session, test, n), seconds in part.items()
            ]
            with History(file) as history:
                record(history, attempts)
        wholes = []
        for whole in ("x", "y"):
            order = files * 2
            seed.shuffle(order)
            with History(Path(directory) / whole) as history:
                for file in order:
                    merge_from(history, file)
                wholes.append(
                    sorted((one.session, one.test, one.attempt, one.seconds) for one in history.attempts())
                )

    assert wholes[0] == wholes[1] == sorted((*key, seconds) for key, seconds in known.items())
