"""Undoing what dead sessions and workers left: in services by their clients, on boards by their drivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.backends.contract import bare_address
from harness.errors import BackendUnreachable, HarnessError, UsageError
from harness.session_lock import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harness.backends.contract import Backend, BackendClient
    from harness.backends.ledger import Entry, Ledger, LedgerAccounts
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard

BOARD_STATE = "board-state"
KEPT = "kept"
"""Detail of what ``--keep`` left on purpose: only ``harness sweep`` undoes it."""

_OWN_FAKE, _OWN_BENCH = "fake", "own"
_BENCH, _ATTACHED = "virtual", "attached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one entry.

    :ivar done: whether it is settled; else it stays in the ledger.
    :ivar text: what was done, or why it was not.
    """

    entry: Entry
    done: bool
    text: str

    def __str__(self) -> str:
        """Say it for a person."""
        return f"{describe(self.entry)}: {self.text}"


def describe(entry: Entry) -> str:
    """Say in a few words what an entry names."""
    where = f" in {entry.backend} at {entry.url}" if entry.backend else ""
    return f"{entry.kind} {entry.subject}{where}, of session {entry.session}"


def left_by_the_dead(ledger: Ledger, **wanted: str) -> list[Entry]:
    """Return what sessions left that live no more, oldest first.

    :param wanted: as :meth:`Ledger.entries` takes it.
    """
    alive: dict[str, bool] = {}
    found = []
    for entry in ledger.entries(**wanted):
        if entry.session not in alive:
            alive[entry.session] = is_alive(entry.session)
        if not alive[entry.session]:
            found.append(entry)
    return found


def is_kept(entry: Entry) -> bool:
    """Tell whether an entry names what was left on purpose."""
    return KEPT in entry.details


def went_with_its_session(entry: Entry) -> bool:
    """Tell whether an entry names something in a fake, or on a bench, that its own session had started."""
    return entry.mode in {_OWN_FAKE, _OWN_BENCH}


def is_in(entry: Entry, backend: Backend) -> bool:
    """Tell whether an entry names something in a service."""
    return (entry.backend, entry.url) == (backend.name, bare_address(backend.url))


def is_of_board(entry: Entry, board: Board) -> bool:
    """Tell whether an entry names something on a board."""
    names = {board.id, board.identity} if board.confirmed else {board.id}
    return not entry.backend and entry.subject in names and entry.url == (board.bench or "")


def accounts_of_board(
    ledger: Ledger, board: Board, *, session: str, worker: str, directory: Path | None
) -> LedgerAccounts:
    """Return the accounts of a worker with a board.

    :param directory: the session's own directory: a bench in it ends with the session.
    """
    if board.bench is None:
        mode = _ATTACHED
    else:
        mode = _OWN_BENCH if directory is not None and board.bench.startswith(f"{directory}/") else _BENCH
    return ledger.accounts(session=session, worker=worker, backend="", mode=mode, url=board.bench or "")


def drop(ledger: Ledger, entries: Iterable[Entry], *, by: str) -> int:
    """Settle entries of what is gone; returns how many."""
    number = 0
    for entry in entries:
        if ledger.take(entry.number, by):
            ledger.settle(entry.number)
            number += 1
    return number


def undo_in_service(
    ledger: Ledger, entries: Sequence[Entry], client: BackendClient, *, by: str
) -> list[Outcome]:
    """Undo what was left in a service, newest first; once it does not answer it is not asked again.

    :param client: connected to that service.
    :param by: id of the session that undoes.
    """
    silent: list[BackendUnreachable] = []

    def undo(entry: Entry) -> str:
        if silent:
            raise silent[0]
        if not hasattr(client, "undo_entry"):  # the vendor forgot it
            raise UsageError(f"the client of {entry.backend} cannot undo it", key="undo_entry")
        try:
            return client.undo_entry(entry)
        except BackendUnreachable as error:
            silent.append(error)
            raise

    return _undo(ledger, entries, undo, by)


def undo_on_board(ledger: Ledger, entries: Sequence[Entry], board: LeasedBoard, *, by: str) -> list[Outcome]:
    """Put a board back as it was before those who left the entries, newest first.

    :param board: a board whose lease is ours, in its state of this moment.
    :param by: id of the session that undoes.
    """

    def undo(entry: Entry) -> str:
        recover: Callable[..., Any] | None = getattr(board.driver, "recover", None)
        if recover is None or entry.kind != BOARD_STATE:
            raise UsageError(
                f"the driver of board {board.id} cannot put it back", key="kind", value=entry.kind
            )
        recover({key: value for key, value in entry.details.items() if key != KEPT})
        return "put back"

    return _undo(ledger, entries, undo, by)


def _undo(ledger: Ledger, entries: Sequence[Entry], undo: Callable[[Entry], str], by: str) -> list[Outcome]:
    outcomes = []
    for entry in sorted(entries, key=lambda entry: entry.number, reverse=True):
        if not ledger.take(entry.number, by):
            outcomes.append(Outcome(entry=entry, done=False, text="another session has it in hand"))
            continue
        try:
            text = undo(entry)
        except HarnessError as error:
            ledger.give_back(entry.number)
            outcomes.append(Outcome(entry=entry, done=False, text=str(error)))
        else:
            ledger.settle(entry.number)
            outcomes.append(Outcome(entry=entry, done=True, text=text))
    return outcomes
