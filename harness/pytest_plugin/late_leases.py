"""The leases of boards that are plugged in while a session runs: taken before a board is asked who it is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from harness.errors import LeaseBusy
from harness.inventory.identity import Answer, ask_boards, place_of
from harness.inventory.leases import Lease, holder

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.board import Board
    from harness.inventory.leases import Leases
    from harness.inventory.vouching import Vouchers
    from harness.plugins import HarnessPluginManager


class LateLeases:
    """Leases boards by where they are, until it is known who they are."""

    def __init__(
        self,
        leases: Leases,
        plugins: HarnessPluginManager,
        session: str,
        *,
        tell_busy: Callable[[Board, str], None],
        vouchers: Vouchers,
    ) -> None:
        """Hold nothing yet.

        :param leases: those of the session's boards.
        :param plugins: who knows how to ask.
        :param session: id of the session.
        :param tell_busy: takes a board that somebody else holds, and who does; once for each, on any thread.
        :param vouchers: who is known to be where, by those who hold the ports.
        """
        self._vouchers = vouchers
        self._tell_busy = tell_busy
        self._busy: set[str] = set()
        self._leases = leases
        self._plugins = plugins
        self._session = session
        self._lock = threading.Lock()
        self._places: dict[str, Lease] = {}
        self._enough = threading.Event()

    def ask(self, candidate: Board) -> Answer:
        """Ask a board who it is while nobody else may; on whatever thread.

        :raises LeaseBusy: somebody else holds it.
        """
        try:
            self._take(candidate)
        except LeaseBusy as busy:
            if candidate.id not in self._busy:
                self._busy.add(candidate.id)
                self._tell_busy(candidate, str(busy).partition("; waited")[0])
            raise
        answer = self._vouched(candidate) or ask_boards([candidate], self._plugins, enough=self._enough)[0]
        if answer.problem is not None:
            answer = self._vouched(candidate) or answer
        if answer.problem is not None:
            self.release(candidate)
        return answer

    def _vouched(self, candidate: Board) -> Answer | None:
        """Return what a worker knows that has the board open already, so that nobody else can ask it."""
        identity = self._vouchers.identity_of(candidate)
        return None if identity is None else Answer(board=candidate, identity=identity)

    def _take(self, candidate: Board) -> None:
        with self._lock:
            there = holder(candidate)
            if there is None or there.session != self._session:
                self._places[place_of(candidate)] = Lease(candidate, self._session, deadline=0)

    def join(self, board: Board) -> None:
        """Hold a board for the rest of the session, by each name that it has.

        :raises LeaseBusy: somebody else holds it by its identity.
        """
        self.release(board)
        self._leases.take([board], deadline=0)

    def release(self, board: Board) -> None:
        """Give back what is at a board's place; nothing happens when it is not held by that."""
        with self._lock:
            lease = self._places.pop(place_of(board), None)
        if lease is not None:
            lease.release()

    def stop_asking(self) -> None:
        """Say that the session ends: who waits for an answer waits for that to the last command, no more."""
        self._enough.set()

    def close(self) -> None:
        """Give everything back that did not become a board of the session."""
        with self._lock:
            while self._places:
                self._places.popitem()[1].release()
