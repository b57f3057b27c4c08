"""Undoing what others left: each entry once, by one, newest first, and not what is not there to be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend
from harness.backends.ledger import Entry, Ledger
from harness.errors import BackendUnreachable
from harness.inventory.board import Board
from harness.recovery import (
    accounts_of_board,
    drop,
    is_in,
    is_of_board,
    left_by_the_dead,
    undo_in_service,
    went_with_its_session,
)
from harness.session_lock import SessionLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Client:
    """Undoes what it is told to, unless it is told otherwise."""

    def __init__(self, *, silent_from: int = 99) -> None:
        self.asked: list[str] = []
        self._silent_from = silent_from

    def undo_entry(self, entry: Entry) -> str:
        self.asked.append(entry.subject)
        if len(self.asked) >= self._silent_from:
            raise BackendUnreachable("nobody answers")
        return "undone"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger of the test's own."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path))
    with Ledger() as ledger:
        yield ledger


def note(ledger: Ledger, *subjects: str, session: str = "dead") -> list[Entry]:
    """Note things in the name of a session."""
    accounts = ledger.accounts(session=session, worker="", backend="cloud", mode="url", url="http://host")
    for subject in subjects:
        accounts.note("thing", subject)
    return ledger.entries(session=session)


def test_newest_first(ledger: Ledger) -> None:
    """What was made last is undone first, and all of it is settled."""
    client: Any = Client()

    outcomes = undo_in_service(ledger, note(ledger, "1", "2", "3"), client, by="heir")

    assert client.asked == ["3", "2", "1"]
    assert [(outcome.entry.subject, outcome.done, outcome.text) for outcome in outcomes] == [
        (subject, True, "undone") for subject in ("3", "2", "1")
    ]
    assert ledger.entries() == []


def test_silent_service_is_not_asked_again(ledger: Ledger) -> None:
    """The rest has the same reason, and all of it may be taken by whoever comes next."""
    client: Any = Client(silent_from=2)
    entries = note(ledger, "1", "2", "3")

    with SessionLock("heir"):
        outcomes = undo_in_service(ledger, entries, client, by="heir")
        assert [ledger.take(entry.number, "next") for entry in ledger.entries()] == [True, True]

    assert client.asked == ["3", "2"]
    assert [(outcome.done, outcome.text) for outcome in outcomes] == [
        (True, "undone"),
        (False, "nobody answers"),
        (False, "nobody answers"),
    ]


def test_what_another_has_in_hand(ledger: Ledger) -> None:
    """What another sweeper that lives has taken, or a living session uses, is left alone."""
    client: Any = Client()
    taken, free = note(ledger, "taken", "free")
    (theirs,) = note(ledger, "theirs", session="living")
    with SessionLock("other"), SessionLock("living"):
        assert ledger.take(taken.number, "other")

        outcomes = undo_in_service(ledger, [taken, free, theirs], client, by="heir")

        assert client.asked == ["free"]
        assert {str(outcome.text) for outcome in outcomes if not outcome.done} == {
            "another session has it in hand"
        }
        assert drop(ledger, [taken, theirs], by="heir") == 0
        assert left_by_the_dead(ledger) == [taken]
    assert drop(ledger, [taken, theirs], by="heir") == 2


def test_client_of_a_forgetful_vendor(ledger: Ledger) -> None:
    """A client that notes and cannot undo is named; what it noted stays."""
    client: Any = object()

    (outcome,) = undo_in_service(ledger, note(ledger, "1"), client, by="heir")

    assert str(outcome) == (
        "thing 1 in cloud at http://host, of session dead: undo_entry: the client of cloud cannot undo it"
    )
    assert len(ledger.entries()) == 1


def test_places(ledger: Ledger, tmp_path: Path) -> None:
    """A service is its name and address, a board its identity and bench; some benches end with a session."""
    (entry,) = note(ledger, "1")
    assert is_in(entry, Backend(name="cloud", mode="url", url="http://user:word@host"))
    assert not is_in(entry, Backend(name="cloud", mode="url", url="http://host2"))
    assert not is_in(entry, Backend(name="other", mode="url", url="http://host"))
    assert not went_with_its_session(entry)
    own = f"{tmp_path}/bench/control"
    for bench, mode in ((None, "attached"), ("/shared/control", "virtual"), (own, "own")):
        board = Board(id="b", kind="k", driver="d", bench=bench)
        accounts = accounts_of_board(ledger, board, session="s", worker="w", directory=tmp_path)
        accounts.note("board-state", board.id)
        entry = ledger.entries()[-1]
        assert (entry.mode, entry.url, entry.backend) == (mode, bench or "", "")
        assert is_of_board(entry, board)
        assert not is_of_board(entry, Board(id="b", kind="k", driver="d", bench="/elsewhere"))
        assert not is_of_board(entry, Board(id="c", kind="k", driver="d", bench=bench))
        assert went_with_its_session(entry) == (mode == "own")
