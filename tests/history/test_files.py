"""The file of a history: private, made whole or not at all, and never written to when it is none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness.backends.ledger import Ledger
from harness.errors import RigFault, UsageError
from harness.history.files import FILE_NAME, default_file
from harness.history.store import History
from tests.history.attempts import attempt, record


def test_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the state directory."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))

    assert default_file() == tmp_path / "state" / FILE_NAME
    with History() as history:
        assert history.file == default_file()


def test_private(tmp_path: Path) -> None:
    """Nobody else may read it, its log, or the directory made for it; an open one is closed to others."""
    file = tmp_path / "new" / "h"
    with History(file) as history:
        record(history, [attempt()])
        modes = {each.stat().st_mode & 0o777 for each in file.parent.iterdir()}
    assert modes == {0o600}
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]  # neither log nor what it was made of is left

    file.chmod(0o644)
    History(file).close()

    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
@pytest.mark.parametrize("read_only", [False, True])
def test_damaged_file_is_left_alone(file: Path, content: bytes, *, read_only: bool) -> None:
    """What is no history stays as it is, byte by byte, and one message says so."""
    file.write_bytes(content)

    with pytest.raises(UsageError, match=r"history\.sqlite3: .*nothing was changed in it"):
        History(file, read_only=read_only)

    assert file.read_bytes() == content
    assert list(file.parent.iterdir()) == [file]


def test_truncated_history_is_left_alone(file: Path) -> None:
    """One that was cut off is found out when it is used, at the latest, and not written to."""
    with History(file) as history:
        record(history, [attempt(f"test_{'x' * 200}_{n}") for n in range(50)])
    cut = file.read_bytes()[: 4096 * 3]
    file.write_bytes(cut)

    with pytest.raises(UsageError, match="the history is damaged"), History(file) as history:
        record(history, [attempt("test_new", session="later")])

    assert file.read_bytes() == cut


def test_database_of_others_is_left_alone(file: Path) -> None:
    """Another program's database, or our ledger, is not taken for a history."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE things (name)")
    with pytest.raises(UsageError, match="is no history; nothing was changed in it"):
        History(file)

    with Ledger(file.parent) as ledger, pytest.raises(UsageError, match="is no history"):
        History(ledger.file)


def test_history_of_another_version(file: Path) -> None:
    """One that a later harness made is not touched."""
    History(file).close()
    with closing(sqlite3.connect(file)) as later:
        later.execute("PRAGMA user_version = 99")

    with pytest.raises(UsageError, match=r"another version.*got 99.*expected 1; move it away"):
        History(file)


def test_nothing_there_to_read(file: Path) -> None:
    """Who only reads makes no file."""
    with pytest.raises(UsageError, match="there is no history; expected a file that --history wrote"):
        History(file, read_only=True)

    assert not file.exists()


def test_reading_only(file: Path) -> None:
    """A reader sees what a writer wrote a moment ago, and cannot write."""
    with History(file) as history:
        record(history, [attempt()])
        with History(file, read_only=True) as reader:
            assert len(reader.attempts()) == 1
            with pytest.raises(RigFault, match="readonly"):
                reader.begin("run", 2.0)


def test_nothing_may_be_made_there() -> None:
    """A directory in which nobody may make a file is a fault that names the file."""
    with pytest.raises(RigFault, match=r"the history /proc/h cannot be opened: \w+"):
        History(Path("/proc/h"))


def test_directory_in_its_place(tmp_path: Path) -> None:
    """A directory is no history, and below a file there is none."""
    with pytest.raises(RigFault, match="unable to open database file"):
        History(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RigFault, match="cannot be opened: File exists"):
        History(tmp_path / "file" / "h")


def test_odd_names(tmp_path: Path) -> None:
    """A name that means something in an address is only a name."""
    file = tmp_path / "h?mode=ro#1%20 ü"
    with History(file) as history:
        record(history, [attempt()])

    assert list(tmp_path.iterdir()) == [file]
