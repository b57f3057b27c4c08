"""The sending half of a console: one write at a time, to the port that the board has now."""

from __future__ import annotations

import select
import threading
import time
from typing import TYPE_CHECKING

from harness.errors import BoardLost, RigFault

if TYPE_CHECKING:
    from harness.console.ports import Port

#: How long a write may be held up by flow control.
WRITE_SECONDS = 10.0


class TornWrite(BoardLost):
    """The port went away when a part of what was to be written was out."""


class Outlet:
    """Writes to one port, which may be exchanged.

    :ivar port: the port that is written to, or was last.
    :ivar lock: held by whoever writes, and by whoever closes or exchanges the port.
    """

    def __init__(self, port: Port, name: str) -> None:
        """Write to a port.

        :param port: an open port; it is closed with the outlet.
        :param name: name of the console, for messages.
        """
        self.port = port
        self.lock = threading.Lock()
        self._name = name
        self._gone: BoardLost | None = None

    def write(self, data: bytes) -> None:
        """Write all, waiting for room.

        :raises TornWrite: the port went away when a part was out.
        :raises BoardLost: it went away, and nothing was out.
        :raises RigFault: flow control held the line for too long.
        """
        with self.lock:
            self._check()
            written = self.port.write(data)
            if written < len(data):
                self._write_rest(data, written)

    def _write_rest(self, data: bytes, written: int) -> None:
        deadline = time.monotonic() + WRITE_SECONDS
        room = select.poll()
        room.register(self.port.fd, select.POLLOUT)
        while written < len(data):
            if not room.poll(max(0, (deadline - time.monotonic()) * 1000)):
                raise RigFault(
                    f"{self._name}: after {written} of {len(data)} bytes the line took no more "
                    f"for {WRITE_SECONDS:g} s (flow control?)"
                )
            try:
                written += self.port.write(data[written:])
            except BoardLost as error:
                torn = TornWrite if written else BoardLost
                raise torn(f"{error} when {written} of {len(data)} bytes were out") from error

    def flush(self) -> None:
        """Wait until everything written was transmitted.

        :raises BoardLost: the port went away.
        """
        with self.lock:
            self._check()
            self.port.flush()

    def _check(self) -> None:
        if self._gone is not None:
            raise BoardLost(str(self._gone)) from self._gone

    def is_there(self) -> bool:
        """Tell whether the port is there at this moment, though nobody has read yet that it went."""
        with self.lock:
            if self._gone is not None:
                return False
            look = select.poll()
            look.register(self.port.fd, 0)
            return not look.poll(0)

    def release(self, reason: BoardLost) -> None:
        """Close a port that went away, so that the system can give its name to another; idempotent.

        :param reason: what writes are told until there is another port.
        """
        with self.lock:
            self._gone = reason
            self.port.close()

    def exchange(self, port: Port) -> None:
        """Write to another port from now on; the caller holds the lock."""
        self.port = port
        self._gone = None
