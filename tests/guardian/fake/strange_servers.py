"""Servers that do not answer as a Vault does: they drip, say nothing, or say something else."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class StrangeServer:
    """Takes one connection after the other and does the same on each.

    :ivar requests: what was sent to it, as far as it was read.
    :ivar asked: set when there is one.
    :ivar ended: set when a caller has ended its connection.
    """

    def __init__(
        self, behave: Callable[[StrangeServer, socket.socket], None], tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        self.ended = threading.Event()
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name="strange server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # of a closed listener
            while True:
                connection, _peer = self._listener.accept()
                self._open.append(connection)
                with contextlib.suppress(OSError):
                    if self._tls is not None:
                        connection = self._tls.wrap_socket(connection, server_side=True)
                    self.requests.append(connection.recv(65536))
                    self.asked.set()
                    self._behave(self, connection)
                self.ended.set()
                connection.close()

    def close(self) -> None:
        """End everything."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join(20)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def strange_server(
    behave: Callable[[StrangeServer, socket.socket], None], tls: ssl.SSLContext | None = None
) -> Iterator[StrangeServer]:
    """Run a server for a while.

    :param tls: speak TLS by this.
    """
    server = StrangeServer(behave, tls)
    try:
        yield server
    finally:
        server.close()


def drip(begin: bytes) -> Callable[[StrangeServer, socket.socket], None]:
    """Begin an answer, and then send a byte every now and then, until the caller has had enough."""

    def behave(_server: StrangeServer, connection: socket.socket) -> None:
        connection.sendall(begin)
        pause = threading.Event()
        while not pause.wait(0.02):
            connection.sendall(b" ")

    return behave


def say_nothing(_server: StrangeServer, connection: socket.socket) -> None:
    """Wait until the caller has had enough."""
    while connection.recv(65536):
        pass


def say(content: bytes, head: bytes = JSON) -> Callable[[StrangeServer, socket.socket], None]:
    """Answer with some content."""

    def behave(_server: StrangeServer, connection: socket.socket) -> None:
        connection.sendall(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(content) + content)

    return behave
