"""Undoing by hand what dead sessions left, in any service and on any board that can be reached from here."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.backends.contract import Backend, BackendSession, known_backends
from harness.config import BenchChoice, Settings
from harness.errors import HarnessError, RigFault
from harness.inventory.confirmation import Confirmation, find_by_name, in_doubt
from harness.inventory.leased_board import LeasedBoard
from harness.inventory.leases import Leases
from harness.plugins import load_object
from harness.recovery import Outcome, drop, undo_in_service, undo_on_board, went_with_its_session
from harness.session_directory import new_run_id
from harness.session_lock import SessionLock, is_alive, remove_locks_of_the_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from harness.backends.contract import BackendClient
    from harness.backends.ledger import Entry, Ledger
    from harness.inventory.board import Board
    from harness.plugins import HarnessPluginManager
    from harness.rig import Rig

LEASE_DEADLINE = 5.0


@dataclass(slots=True, kw_only=True)
class Inventory:
    """What is in the ledger.

    :ivar left: what dead sessions left.
    :ivar in_use: what living sessions made, by session; nobody else's business.
    """

    left: list[Entry] = field(default_factory=list)
    in_use: dict[str, list[Entry]] = field(default_factory=dict)


def take_inventory(ledger: Ledger) -> Inventory:
    """Tell what dead sessions left from what living ones use."""
    inventory = Inventory()
    alive: dict[str, bool] = {}
    for entry in ledger.entries():
        if entry.session not in alive:
            alive[entry.session] = is_alive(entry.session)
        if alive[entry.session]:
            inventory.in_use.setdefault(entry.session, []).append(entry)
        else:
            inventory.left.append(entry)
    return inventory


class Sweeper:
    """A session that only undoes; a context manager that ends it."""

    def __init__(self, ledger: Ledger, plugins: HarnessPluginManager, *, rig: Rig | None = None) -> None:
        """Prepare; nothing is undone yet.

        :param ledger: the ledger.
        :param plugins: where clients and drivers come from.
        :param rig: what is attached to this host, besides what is found on USB.
        """
        self._ledger = ledger
        self._plugins = plugins
        self._rig = rig
        self._run_id = f"sweep-{new_run_id()}"
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Begin the session."""
        self._resources.enter_context(SessionLock(self._run_id))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and take away the lock files of sessions of which nothing is left."""
        self._resources.close()
        remove_locks_of_the_dead({entry.session for entry in self._ledger.entries()})

    def sweep(self, entries: Sequence[Entry]) -> Iterator[Outcome]:
        """Undo what entries name, service by service and board by board.

        :param entries: of dead sessions.
        :return: what became of each, as it happens.
        """
        places: dict[tuple[str, str, str], list[Entry]] = {}
        for entry in entries:
            if went_with_its_session(entry):
                drop(self._ledger, [entry], by=self._run_id)
                yield Outcome(entry=entry, done=True, text="went with its session")
            else:
                place = (entry.backend, entry.url, "" if entry.backend else entry.subject)
                places.setdefault(place, []).append(entry)
        for (backend, url, board_id), there in places.items():
            undo = self._in_service if backend else self._on_board
            try:
                yield from undo(backend or board_id, url, there)
            except HarnessError as error:
                for entry in there:
                    yield Outcome(entry=entry, done=False, text=str(error))

    def _in_service(self, name: str, url: str, entries: Sequence[Entry]) -> list[Outcome]:
        specs = known_backends(self._plugins)
        if name not in specs:
            raise RigFault(f"no installed plugin knows the service {name}")
        spec = specs[name]
        backend = Backend(name=name, mode="url", url=url, capabilities=spec.real_capabilities)
        connect: Callable[..., BackendClient] = load_object(spec.client)
        client = connect(backend, BackendSession(run_id=self._run_id, worker="sweep"))
        try:
            return undo_in_service(self._ledger, entries, client, by=self._run_id)
        finally:
            client.close()

    def _on_board(self, board_id: str, bench: str, entries: Sequence[Entry]) -> list[Outcome]:
        if bench and not _answers(bench):
            drop(self._ledger, entries, by=self._run_id)
            return [Outcome(entry=entry, done=True, text="went with its bench") for entry in entries]
        with Leases(self._run_id) as leases, ExitStack() as resources:
            board = self._take(board_id, self._boards(bench), leases)
            leased = LeasedBoard(board, self._plugins, capture_directory=None)
            resources.callback(leased.close)
            return undo_on_board(self._ledger, entries, leased, by=self._run_id)

    def _take(self, board_id: str, boards: Sequence[Board], leases: Leases) -> Board:
        """Lease the board of a name; one that may be another board only after it said who it is.

        :raises RigFault: it is not here, does not say that it is the one, or is leased by somebody else.
        """
        found = next((board for board in boards if board.id == board_id), None)
        if found is not None and not in_doubt(found):
            leases.take([found], deadline=LEASE_DEADLINE)
            return found
        confirmation = Confirmation(plugins=self._plugins, rig=self._rig, leases=leases)
        attached = [board for board in boards if not board.virtual]
        asked = find_by_name(
            {board_id}, attached, confirmation, deadline=LEASE_DEADLINE, may_be=lambda _board: True
        )
        reasons = [reason for board, reason in confirmation.result.refused if board.id == board_id]
        if board_id not in asked or not confirmation.settle([asked[board_id]]):
            raise RigFault(f"board {board_id} is not here now{''.join(f': {each}' for each in reasons)}")
        return asked[board_id]

    def _boards(self, bench: str) -> list[Board]:
        choice = BenchChoice(kind="virtual", socket=Path(bench)) if bench else BenchChoice(kind="attached")
        settings = Settings(bench=choice, rig=self._rig)
        found = self._plugins.hook.harness_discover_boards(settings=settings)
        return [board for boards in found for board in boards]


def _answers(bench: str) -> bool:
    """Tell whether anybody listens on the control socket of a bench."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(bench)
        except OSError:
            return False
    return True
