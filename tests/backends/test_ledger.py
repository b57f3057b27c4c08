"""The ledger: on the disk before the call, private, for many at once, and never guessed at when damaged."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends import ledger as ledger_module
from harness.backends.contract import UnkeptAccounts, bare_address
from harness.backends.ledger import FILE_NAME, Entry, Ledger
from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ROW: dict[str, Any] = {
    "session": "run",
    "worker": "gw0",
    "backend": "cloud",
    "mode": "url",
    "url": "http://127.0.0.1:1",
    "kind": "claim",
    "subject": "device",
}
NOTE_AND_DIE = """
import os, signal, sys
from harness.backends.ledger import Ledger
ledger = Ledger()
for number in range(int(sys.argv[1])):
    subject = str(number)
    ledger.note(session="run", worker="gw0", backend="", mode="", url="", kind="claim", subject=subject)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own."""
    directory = tmp_path / "state"
    monkeypatch.setenv("HARNESS_STATE_DIR", str(directory))
    return directory


def test_entries_from_note_to_settle() -> None:
    """An entry says what was noted and amended, until it is settled; settling twice is nothing."""
    with Ledger() as ledger:
        first = ledger.note(**ROW, details={"state": "intended", "key": "k"})
        second = ledger.note(**{**ROW, "subject": "other"})
        ledger.amend(first.number, state="made")

        assert [entry.subject for entry in ledger.entries()] == ["device", "other"]
        (found,) = ledger.entries(subject="device", session="run")
        assert found.details == {"state": "made", "key": "k"}
        assert found.noted == first.noted
        assert ledger.entries(subject="nobody") == []

        ledger.settle(first.number)
        ledger.settle(first.number)

        assert [entry.number for entry in ledger.entries()] == [second.number]
        with pytest.raises(RigFault, match="is not in the ledger"):
            ledger.amend(first.number, state="late")
        with pytest.raises(TypeError, match="no such columns"):
            ledger.entries(nothing="x")


def test_several_entries_at_once() -> None:
    """What one call is about to make of several is noted at once, and struck out at once."""
    row = {name: value for name, value in ROW.items() if name != "subject"}
    with Ledger() as ledger:
        entries = ledger.note_all(**row, subjects=["a", "b", "a"], details={"state": "intended"})

        assert [entry.subject for entry in entries] == ["a", "b", "a"]
        assert ledger.entries() == entries
        assert ledger.note_all(**row, subjects=[]) == []
        ledger.settle_all([entries[0].number, entries[1].number, 999])
        ledger.settle_all([])
        assert ledger.entries() == entries[2:]


def test_several_accounts_at_once() -> None:
    """What is noted at once is kept and settled like what is noted alone."""
    with Ledger() as ledger:
        accounts = ledger.accounts(session="run", worker="", backend="x", mode="url", url="u")
        first, second, third = accounts.note_all("claim", ["a", "b", "c"], key="k")
        accounts.settle_all([first])
        accounts.settle(second)

        accounts.keep()

        (left,) = ledger.entries()
        assert (left.number, left.subject, left.details) == (third, "c", {"key": "k", "kept": "yes"})
    unkept = UnkeptAccounts()
    numbers = unkept.note_all("claim", ["a", "b"], key="k")
    assert len(set(numbers)) == 2
    unkept.settle_all(numbers)


def test_numbers_are_never_used_again() -> None:
    """Who still holds the number of a settled entry cannot mean another one by it."""
    with Ledger() as ledger:
        first = ledger.note(**ROW)
        ledger.settle(first.number)

        assert ledger.note(**ROW).number > first.number


def test_survives_death_at_once() -> None:
    """What was noted is there although its process was killed the moment after."""
    died = subprocess.run([sys.executable, "-c", NOTE_AND_DIE, "3"], check=False)

    assert died.returncode == -signal.SIGKILL
    with Ledger() as ledger:
        assert [entry.subject for entry in ledger.entries()] == ["0", "1", "2"]


def test_nobody_else_may_look(state: Path) -> None:
    """Directory and files are the user's alone, whatever the umask says."""
    before = os.umask(0)
    try:
        with Ledger() as ledger:
            ledger.note(**ROW)
            assert state.stat().st_mode & 0o777 == 0o700
            files = {file.name: file.stat().st_mode & 0o777 for file in state.iterdir()}
    finally:
        os.umask(before)
    assert files[FILE_NAME] == 0o600
    assert set(files.values()) == {0o600}


def test_file_that_others_may_read_is_closed_to_them(state: Path) -> None:
    """Whoever opened it up, it is closed again."""
    Ledger().close()
    (state / FILE_NAME).chmod(0o644)

    Ledger().close()

    assert (state / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", [b"this is no database at all\n" * 50, b"SQLite format 3\0" + b"x" * 5000]
)
def test_damaged_file_is_named_and_left_as_it_is(state: Path, content: bytes) -> None:
    """A file that is damaged is never overwritten: the message names it and what to do."""
    state.mkdir()
    (state / FILE_NAME).write_bytes(content)

    with pytest.raises(UsageError, match=rf"{FILE_NAME}: the ledger is damaged .*move the file away"):
        Ledger()

    assert (state / FILE_NAME).read_bytes() == content


def test_damage_that_comes_to_light_later(state: Path) -> None:
    """Damage that only reading finds is told in the same way."""
    with Ledger() as ledger:
        for number in range(200):
            ledger.note(**{**ROW, "subject": f"{number}" * 50})
    data = bytearray((state / FILE_NAME).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (state / FILE_NAME).write_bytes(data)

    with Ledger() as ledger, pytest.raises(UsageError, match="the ledger is damaged"):
        ledger.entries()


@pytest.mark.parametrize(
    "command", ["PRAGMA user_version = 2", "CREATE TABLE theirs (a)"], ids=["later-version", "no-ledger"]
)
def test_of_another_version(state: Path, command: str) -> None:
    """A ledger that another version made, or another program's database, is refused and left as it is."""
    state.mkdir()
    with sqlite3.connect(state / FILE_NAME) as database:
        database.execute(command)
    database.close()
    before = (state / FILE_NAME).read_bytes()

    with pytest.raises(UsageError, match=r"ledger of another version.*expected 1; sweep it with"):
        Ledger()

    assert (state / FILE_NAME).read_bytes() == before


def test_busy_for_too_long(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    """A ledger that somebody else keeps locked is waited for with a deadline, and then named."""
    monkeypatch.setattr(ledger_module, "BUSY_SECONDS", 0.05)
    with Ledger() as ledger:
        other = sqlite3.connect(state / FILE_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(RigFault, match=rf"{FILE_NAME} cannot be used: database is locked"):
                ledger.note(**ROW)
        finally:
            other.close()

        assert ledger.note(**ROW).number == 1, "it goes on afterwards"


def test_unusable_places(state: Path) -> None:
    """A link, a directory in its place and a closed ledger are refused by name."""
    state.mkdir()
    (state / FILE_NAME).symlink_to(state / "elsewhere")
    with pytest.raises(RigFault, match="cannot be opened"):
        Ledger()
    assert not (state / "elsewhere").exists()
    (state / FILE_NAME).unlink()

    ledger = Ledger()
    ledger.close()
    ledger.close()
    with pytest.raises(RigFault, match="cannot be used"):
        ledger.entries()


def test_interrupted_transaction_leaves_nothing() -> None:
    """An interrupt in the middle of noting leaves neither half an entry nor a lock."""
    with Ledger() as ledger:
        with pytest.raises(KeyboardInterrupt), ledger._transaction() as database:
            database.execute("DELETE FROM entries")
            raise KeyboardInterrupt

        ledger.note(**ROW)
        assert len(ledger.entries()) == 1


def test_accounts_are_bound() -> None:
    """A client says kind and subject only; session, worker and service are known."""
    with Ledger() as ledger:
        accounts = ledger.accounts(
            session="run", worker="gw1", backend="cloud", mode="url", url="http://u:p@host:1/x"
        )
        number = accounts.note("claim", "device", state="intended")
        accounts.amend(number, state="made")

        (entry,) = ledger.entries()
        assert entry == Entry(
            number=number,
            session="run",
            worker="gw1",
            backend="cloud",
            mode="url",
            url="http://host:1/x",
            kind="claim",
            subject="device",
            noted=entry.noted,
            details={"state": "made"},
        )

        accounts.settle(number)
        assert ledger.entries() == []


def test_keeping_marks_what_is_not_settled() -> None:
    """What is kept on purpose says so; what was settled before, or is noted later, does not."""
    with Ledger() as ledger:
        accounts = ledger.accounts(session="run", worker="gw1", backend="cloud", mode="url", url="")
        accounts.settle(accounts.note("claim", "settled"))
        accounts.note("claim", "kept")

        accounts.keep()
        accounts.keep()
        accounts.note("claim", "later")

        assert {entry.subject: dict(entry.details) for entry in ledger.entries()} == {
            "kept": {"kept": "yes"},
            "later": {},
        }


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("https://user:secret@host:8443/base?x=1", "https://host:8443/base?x=1"),
        ("http://host/with@sign", "http://host/with@sign"),
        ("", ""),
        ("/run/bench@1/control", "/run/bench@1/control"),
    ],
)
def test_bare_address(address: str, bare: str) -> None:
    """A password in an address is not written down; all else is kept."""
    assert bare_address(address) == bare
