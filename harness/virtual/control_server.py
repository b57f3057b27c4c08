"""The control socket of the bench: reads requests, has the bench do them, answers.

Any number of clients may be connected; one that sends nonsense or never reads its answers is told so or
dropped, and disturbs nobody.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from harness.errors import HarnessError, UsageError
from harness.virtual import wire
from harness.virtual.access import PRIVATE
from harness.virtual.loop import READABLE, WRITABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.virtual.access import BenchAccess
    from harness.virtual.control_methods import ControlMethods
    from harness.virtual.loop import Loop, LoopTimer

_READ_SIZE = 65536
_BACKLOG = 128
_ACCEPT_AGAIN_SECONDS = 0.1
# sun_path has 108 bytes with its closing zero (unix(7)).
_MOST_PATH_BYTES = 107

_log = logging.getLogger(__name__)


class _Connection:
    """One client."""

    def __init__(
        self, loop: Loop, peer: socket.socket, methods: ControlMethods, closed: Callable[[_Connection], None]
    ) -> None:
        self._loop = loop
        self._peer = peer
        self._methods = methods
        self._closed = closed
        self._received = bytearray()
        self._unsent = bytearray()
        self._open = True
        peer.setblocking(False)
        loop.watch(peer.fileno(), READABLE, self._on_ready)

    def _on_ready(self, events: int) -> None:
        if events & WRITABLE:
            self._send(b"")
        if events & ~WRITABLE and self._open:
            self._read()

    def _read(self) -> None:
        try:
            data = self._peer.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._received += data
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        for line in lines:
            if self._open and line.strip():
                self._answer(bytes(line))
        if len(self._received) > wire.MOST_LINE_BYTES:
            self._send(wire.error_line(None, ValueError(f"a line of more than {wire.MOST_LINE_BYTES} bytes")))
            self.close()

    def _answer(self, line: bytes) -> None:
        try:
            request = wire.decode_request(line)
        except ValueError as error:
            self._send(wire.error_line(None, ValueError(f"malformed request: {error}")))
            return

        def done(result: object) -> None:
            try:
                self._send(wire.result_line(request.id, result))
            except ValueError as error:
                self._send(wire.error_line(request.id, ValueError(f"{request.method}: no answer: {error}")))

        def failed(error: Exception) -> None:
            if not isinstance(error, HarnessError | ValueError):
                _log.error("request %r failed", request.method, exc_info=error)
                error = ValueError(f"{request.method}: {type(error).__name__}: {error} (see {wire.LOG_NAME})")
            self._send(wire.error_line(request.id, error))

        self._methods.perform(request, done, failed)

    def _send(self, data: bytes) -> None:
        """Send; what the socket does not take now goes out when it does."""
        if not self._open:
            return
        self._unsent += data
        if len(self._unsent) > 2 * wire.MOST_LINE_BYTES:
            _log.warning("a client of the control socket does not read its answers: dropped")
            self.close()
            return
        try:
            del self._unsent[: self._peer.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        self._loop.watch(
            self._peer.fileno(), READABLE | WRITABLE if self._unsent else READABLE, self._on_ready
        )

    def close(self) -> None:
        """Hang up."""
        if self._open:
            self._open = False
            self._loop.unwatch(self._peer.fileno())
            self._peer.close()
            self._closed(self)


class ControlServer:
    """Listens on the control socket. It belongs to the loop's thread."""

    def __init__(
        self, loop: Loop, path: Path, methods: ControlMethods, access: BenchAccess = PRIVATE
    ) -> None:
        """Listen.

        :param loop: the loop that serves it.
        :param path: the socket to make; one that a dead bench left there is replaced.
        :param methods: what can be asked for.
        :param access: who may connect.
        :raises UsageError: the path is too long for a socket, or nothing can be made there.
        """
        self._loop = loop
        self._path = path
        self._methods = methods
        self._connections: set[_Connection] = set()
        length = len(bytes(path))
        if length > _MOST_PATH_BYTES:
            raise UsageError(
                f"a path of {length} bytes is too long for a socket",
                file=path,
                expected=f"at most {_MOST_PATH_BYTES} bytes: choose another --directory",
            )
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(str(path))
            path.chmod(access.socket)
            self._listener.listen(_BACKLOG)
        except OSError as error:
            self._listener.close()
            raise UsageError(f"cannot listen: {error.strerror}", file=path) from error
        self._listener.setblocking(False)
        self._again: LoopTimer | None = None
        self._listen()

    def _listen(self) -> None:
        self._loop.watch(self._listener.fileno(), READABLE, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError as error:
            # The client has gone already, or there is no descriptor left: epoll would tell that for ever.
            _log.warning("a client could not be taken: %s", error)
            self._loop.unwatch(self._listener.fileno())
            self._again = self._loop.call_later(_ACCEPT_AGAIN_SECONDS, self._listen)
            return
        self._connections.add(_Connection(self._loop, peer, self._methods, self._connections.discard))

    def close(self) -> None:
        """Hang up on every client and remove the socket."""
        if self._again is not None:
            self._again.cancel()
        self._loop.unwatch(self._listener.fileno())
        self._listener.close()
        self._path.unlink(missing_ok=True)
        for connection in tuple(self._connections):
            connection.close()
