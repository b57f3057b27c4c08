"""The controller's part in the ledger: it holds the session's lock and undoes what dead sessions left."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from harness.backends.contract import BackendSession
from harness.backends.ledger import Ledger
from harness.errors import HarnessError
from harness.plugins import load_object
from harness.pytest_plugin.state import CONTROLLER
from harness.recovery import (
    Outcome,
    drop,
    is_in,
    is_kept,
    is_of_board,
    left_by_the_dead,
    undo_in_service,
    went_with_its_session,
)
from harness.session_lock import SessionLock, remove_locks_of_the_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from harness.backends.contract import Backend, BackendSpec
    from harness.backends.ledger import Entry
    from harness.inventory.board import Board


class Accounting:
    """The session's lock and its ledger; a context manager that takes both and gives them back."""

    def __init__(self, run_id: str) -> None:
        """Take nothing yet.

        :param run_id: id of the run.
        """
        self._run_id = run_id
        self._resources = ExitStack()
        self._ledger: Ledger
        self._lock: SessionLock

    def _close_lock(self) -> None:
        """Strike out what went with the session; what is left then is for others to undo."""
        entries = self._ledger.entries(session=self._run_id)
        gone = [entry for entry in entries if went_with_its_session(entry)]
        drop(self._ledger, gone, by=self._run_id)
        self._lock.close(keep=len(entries) > len(gone))
        self._tidy()

    def _tidy(self) -> None:
        """Take away the lock files of dead sessions of which nothing is left."""
        remove_locks_of_the_dead({entry.session for entry in self._ledger.entries()})

    def __enter__(self) -> Ledger:
        """Open the ledger, take the lock and return the ledger.

        :raises HarnessError: the ledger is damaged or cannot be used.
        """
        with ExitStack() as undo:
            undo.callback(self._resources.close)
            self._ledger = self._resources.enter_context(Ledger())
            self._lock = SessionLock(self._run_id)
            self._resources.callback(self._close_lock)
            undo.pop_all()
        return self._ledger

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give both back."""
        self._resources.close()

    def undo_what_the_dead_left(
        self,
        boards: Sequence[Board],
        backends: Iterable[tuple[BackendSpec, Backend]],
        register_secret: Callable[[str, str], None],
    ) -> list[str]:
        """Undo what dead sessions left in the services of this session; what they left on boards comes later.

        :param boards: the boards of this session: each is put back when it is first used.
        :param backends: the services that run.
        :param register_secret: takes the secrets of the clients that are made for it.
        :return: what was found and what became of it, in lines for the header.
        """
        left = left_by_the_dead(self._ledger)
        drop(self._ledger, filter(went_with_its_session, left), by=self._run_id)
        left = [entry for entry in left if not went_with_its_session(entry)]
        outcomes: list[Outcome] = []
        for spec, backend in backends:
            entries = [entry for entry in left if is_in(entry, backend) and not is_kept(entry)]
            if entries:
                outcomes += self._undo_in(spec, backend, entries, register_secret)
        on_boards = [entry for entry in left if any(is_of_board(entry, board) for board in boards)]
        self._tidy()
        handled = {outcome.entry.number for outcome in outcomes} | {entry.number for entry in on_boards}
        elsewhere = [entry for entry in left if entry.number not in handled]
        return _lines(outcomes, on_boards, elsewhere)

    def _undo_in(
        self,
        spec: BackendSpec,
        backend: Backend,
        entries: Sequence[Entry],
        register_secret: Callable[[str, str], None],
    ) -> list[Outcome]:
        session = BackendSession(run_id=self._run_id, worker=CONTROLLER, register_secret=register_secret)
        try:
            client = load_object(spec.client)(backend, session)
        except HarnessError as error:
            return [Outcome(entry=entry, done=False, text=str(error)) for entry in entries]
        try:
            return undo_in_service(self._ledger, entries, client, by=self._run_id)
        finally:
            client.close()


def _lines(outcomes: Sequence[Outcome], on_boards: Sequence[Entry], elsewhere: Sequence[Entry]) -> list[str]:
    lines = []
    if outcomes:
        done = sum(outcome.done for outcome in outcomes)
        lines.append(f"harness: dead sessions had left {_things(len(outcomes))} in services: {done} undone")
        lines += [f"harness: NOT undone: {outcome}" for outcome in outcomes if not outcome.done]
    if on_boards:
        number = len({entry.subject for entry in on_boards})
        lines.append(
            f"harness: dead sessions had changed {number} of these boards; each is put back at first use"
        )
    if elsewhere:
        lines.append(f"harness: dead sessions left {_things(len(elsewhere))} elsewhere: harness sweep")
    return lines


def _things(number: int) -> str:
    return f"{number} thing{'' if number == 1 else 's'}"


def lines_of_what_is_left(ledger: Ledger, run_id: str) -> list[str]:
    """Say what the session itself leaves, in lines for the summary."""
    left = [entry for entry in ledger.entries(session=run_id) if not went_with_its_session(entry)]
    lines = []
    if left:
        kept = sum(map(is_kept, left))
        purpose = f", {kept} of them on purpose" if kept else ""
        lines.append(f"harness: left behind: {_things(len(left))}{purpose}; to undo it: harness sweep")
    return lines
