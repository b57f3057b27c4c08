"""What goes wrong with the device's SSH on order, and what it was asked by whom."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

OPEN, REFUSING, SILENT = "open", "refusing", "silent"
#: How the port behaves: served; nobody listens; connections are taken and hear nothing, not even a banner.
MODES = (OPEN, REFUSING, SILENT)

#: The TCP connection is cut as soon as it is there.
CONNECTION = "connection"
#: It is cut as soon as somebody is logged in.
LOGIN = "login"
#: It is cut instead of running a command.
COMMAND = "command"
#: The command runs, and the connection is cut before it says how it ended.
ANSWER = "answer"
#: It is cut in the middle of a file that comes by SCP.
FILE = "file"
#: When a connection can be cut.
MOMENTS = (CONNECTION, LOGIN, COMMAND, ANSWER, FILE)

_KEPT = 1000


@dataclass(slots=True)
class Connection:
    """A connection that came.

    :ivar number: 1 is the first since the record was cleared.
    :ivar user: who logged in; empty: nobody.
    :ivar commands: what it asked to run, in the order.
    """

    number: int
    user: str = ""
    commands: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Cut:
    when: str
    left: int


class SshFaults:
    """The orders of a test, and the record of connections. From any thread."""

    def __init__(self) -> None:
        """Let everything go well."""
        self._lock = threading.Lock()
        self._mode = OPEN
        self._cut: _Cut | None = None
        self._connections: list[Connection] = []
        self._came = 0

    @property
    def mode(self) -> str:
        """One of :data:`MODES`."""
        with self._lock:
            return self._mode

    def set_mode(self, mode: str) -> None:
        """Let the port behave so.

        :raises ValueError: there is no such mode.
        """
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}; expected one of {', '.join(MODES)}")
        with self._lock:
            self._mode = mode

    def cut_at(self, nth: int, when: str) -> None:
        """Cut a connection at the nth such moment from now on; an earlier order is forgotten.

        :raises ValueError: there is no such moment, or ``nth`` is no count from 1.
        """
        if when not in MOMENTS:
            raise ValueError(f"when is {when!r}; expected one of {', '.join(MOMENTS)}")
        if isinstance(nth, bool) or not isinstance(nth, int) or nth < 1:
            raise ValueError(f"nth is {nth!r}; expected a count from 1")
        with self._lock:
            self._cut = _Cut(when, nth)

    def clear(self) -> None:
        """Forget the orders."""
        with self._lock:
            self._cut = None
            self._mode = OPEN

    def is_cut(self, when: str) -> bool:
        """Pass a moment, and tell whether the connection is cut at it."""
        with self._lock:
            cut = self._cut
            if cut is None or cut.when != when:
                return False
            cut.left -= 1
            if cut.left:
                return False
            self._cut = None
            return True

    def came(self) -> Connection:
        """Note a connection."""
        with self._lock:
            self._came += 1
            connection = Connection(self._came)
            self._connections = [*self._connections[1 - _KEPT :], connection]
            return connection

    def logged_in(self, connection: Connection, user: str) -> None:
        """Note who logged in."""
        with self._lock:
            connection.user = user

    def asked(self, connection: Connection, command: str) -> None:
        """Note a command."""
        with self._lock:
            connection.commands.append(command)

    def connections(self, *, clear: bool) -> list[dict[str, Any]]:
        """Return the connections that came, oldest first.

        :param clear: forget them.
        """
        with self._lock:
            told = [asdict(each) for each in self._connections]
            if clear:
                self._connections, self._came = [], 0
            return told
