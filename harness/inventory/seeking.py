"""Bringing a board's consoles back after it went away: one thread a board, while anything is sought."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BoardLost, HarnessError, RigFault
from harness.inventory.finding import LOOK_SECONDS, CannotBeFound, Finder, open_sighted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.console import Console
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.inventory.serial_ports import SerialPort
    from harness.plugins import HarnessPluginManager

_CONSOLE = "console"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Search:
    """A console that is sought.

    :ivar deadline: until when (``time.monotonic``); it is looked once at the least.
    :ivar why: why its port is gone.
    """

    console: Console
    role: str
    deadline: float
    why: BoardLost | None


class BoardSeeker:
    """Seeks one board for all of its consoles."""

    def __init__(
        self,
        board: LeasedBoard,
        plugins: HarnessPluginManager,
        *,
        seconds: float,
        on_found: Callable[[Board, Callable[[], bool]], None] | None = None,
    ) -> None:
        """Seek nothing yet.

        :param board: the board; its description is kept true when it moves.
        :param plugins: who knows kinds of boards, and how to ask.
        :param seconds: how long a console that went away is sought.
        :param on_found: called whenever the board was found, with its description and with what tells whether
            it is still held.
        """
        self._on_found = on_found
        self._board = board
        self._plugins = plugins
        self._seconds = seconds
        self._lock = threading.Lock()
        self._searches: dict[str, _Search] = {}
        self._losses: dict[str, BoardLost | None] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._wake = threading.Event()
        self._stop = threading.Event()

    def open(self, role: str, name: str, directory: Path | None) -> Console:
        """Find the board and open one of its consoles, which comes back when the board does.

        :param role: role of its endpoint.
        :param name: what the console is called.
        :param directory: where it keeps what it captures.
        :raises BoardLost: the board is not there, and does not come; one that is known to be lost is looked
            for only once.
        :raises RigFault: somebody else has the port open.
        """
        deadline = time.monotonic() + (0.0 if self._board.lost else self._seconds)
        while True:
            try:
                return self._open(role, name, directory)
            except RigFault as fault:
                # Whoever asks other boards like this one who they are has its port for a moment.
                worth_it = isinstance(fault, BoardLost) or self._board.description.ambiguous
                fixed = isinstance(fault, CannotBeFound) or not self._can_come_back()
                left = deadline - time.monotonic()
                if fixed or not worth_it or left <= 0:
                    raise
                self._stop.wait(min(left, LOOK_SECONDS))

    def _open(self, role: str, name: str, directory: Path | None) -> Console:
        from harness.console import Console

        board = self._board
        sighting = Finder(self._plugins, enough=self._stop).look(
            board.description, role, held=self._held, doubted=board.doubted
        )
        console = Console.open(
            sighting.endpoint,
            name=name,
            directory=directory,
            seeker=_RoleSeeker(self, role),
            port=open_sighted(sighting, name),
            said=sighting.said,
        )
        self._describe(sighting.board)
        if sighting.asked:
            board.believe()
        self._tell_found(console)
        return console

    def _describe(self, found: Board) -> None:
        self._board.description = found
        self._board.lost = None

    def _tell_found(self, console: Console) -> None:
        if self._on_found is not None:
            self._on_found(self._board.description, console.is_there)

    def _held(self) -> list[str]:
        return [one.url for one in self._board.open_consoles.values() if one.is_there()]

    def _can_come_back(self) -> bool:
        """Tell whether a port that is not there may be found elsewhere, or told from another board's."""
        board = self._board.description
        return board.virtual or bool(board.ports) or board.identity is not None

    def seek(self, role: str, console: Console, *, patient: bool) -> None:
        """Begin to look for the board, and return at once; see :class:`harness.console.seeking.Seeker`."""
        with self._lock:
            if not self._closed:
                until = time.monotonic() + (self._seconds if patient else 0.0)
                why = self._losses[role] = console.lost if patient else self._losses.get(role, console.lost)
                self._searches[role] = _Search(console=console, role=role, deadline=until, why=why)
                self._wake.set()
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name=f"seek {self._board.id}", daemon=True
                    )
                    self._thread.start()
                return
        console.give_up(_closed(console))

    def close(self) -> None:
        """Seek no more; idempotent."""
        with self._lock:
            self._closed = True
            self._stop.set()
            thread = self._thread
            self._wake.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            with ExitStack() as resources:
                finder = Finder(self._plugins, self._live_ports(resources), enough=self._stop)
                while searches := self._open_searches():
                    self._wake.clear()
                    for search in searches:
                        self._look(finder, search)
                    self._wait()
        finally:
            self._abandon()

    def _live_ports(self, resources: ExitStack) -> Callable[[], Sequence[SerialPort]] | None:
        """Return what knows the ports of the moment; ``None`` where they are listed again and again."""
        if not self._board.description.ports:
            return None
        from harness.inventory.live_ports import LivePorts

        try:
            return resources.enter_context(LivePorts(self._wake)).now
        except OSError as error:  # the system has nothing left to listen with
            _log.warning("%s is looked for without udev's help: %s", self._board.id, error)
            return None

    def _open_searches(self) -> list[_Search]:
        """Return what is sought, the console first; the thread ends when that is nothing."""
        with self._lock:
            searches = sorted(self._searches.values(), key=lambda one: (one.role != _CONSOLE, one.role))
            if self._closed or not searches:
                self._thread = None
                return []
            return searches

    def _abandon(self) -> None:
        """Leave nobody waiting when the thread ends, whatever ended it."""
        with self._lock:
            broke = self._thread is threading.current_thread()
            searches = list(self._searches.values()) if broke or self._closed else []
            for search in searches:
                del self._searches[search.role]
            if broke:
                self._thread = None
        for search in searches:
            search.console.give_up(_closed(search.console))

    def _wait(self) -> None:
        with self._lock:
            deadlines = [search.deadline for search in self._searches.values()]
            if not deadlines or self._closed:
                return
        self._wake.wait(max(0.0, min(min(deadlines) - time.monotonic(), LOOK_SECONDS)))

    def _look(self, finder: Finder, search: _Search) -> None:
        search.console.close_port()
        try:
            self._bring_back(finder, search)
        except HarnessError as fault:
            worth_it = isinstance(fault, RigFault) and not isinstance(fault, CannotBeFound)
            if not worth_it or time.monotonic() >= search.deadline:
                self._give_up(search, fault)
        except BaseException as error:
            self._give_up(search, error)
            raise

    def _bring_back(self, finder: Finder, search: _Search) -> None:
        board = self._board
        sighting = finder.look(board.description, search.role, held=self._held, returning=True)
        port = open_sighted(sighting, search.console.name)
        self._describe(sighting.board)
        if sighting.asked:
            board.believe()
        self._end(search)
        search.console.resume(port, url=sighting.endpoint.url, said=sighting.said)
        self._tell_found(search.console)

    def _give_up(self, search: _Search, reason: BaseException) -> None:
        lost = BoardLost(f"{search.why}; it is not back: {reason}")
        self._board.lost = lost
        self._end(search)
        search.console.give_up(lost)

    def _end(self, search: _Search) -> None:
        with self._lock:
            if self._searches.get(search.role) is search:
                del self._searches[search.role]


class _RoleSeeker:
    """Fulfils :class:`harness.console.seeking.Seeker` for one console."""

    def __init__(self, seeker: BoardSeeker, role: str) -> None:
        self._seeker = seeker
        self._role = role

    def seek(self, console: Console, *, patient: bool) -> None:
        self._seeker.seek(self._role, console, patient=patient)


def _closed(console: Console) -> BoardLost:
    return console.lost or BoardLost(f"{console.name}: the board is closed")
