"""What the tests of Nordic's boards share: a service of literal answers."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 10.0


class Service:
    """A service of one listening socket: says what it was told to say, and keeps what it was asked."""

    def __init__(self) -> None:
        self._answers: deque[bytes | None] = deque()
        self.requests: list[tuple[bytes, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._arrived = threading.Condition()
        self._context: ssl.SSLContext | None = None
        self.refused_handshakes = 0
        self.hold = threading.Event()
        self.hold.set()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address for the board."""
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def secure(self, certificate: Path, key: Path) -> None:
        """Speak TLS from now on."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    def commands(self, *commands: list[Any]) -> None:
        """Answer the next request with commands, encoded by a library."""
        self.status(200, cbor2.dumps(list(commands)), "Content-Type: application/cbor\r\n")

    def status(self, status: int, body: bytes = b"", more: str = "") -> None:
        """Answer the next request with a status."""
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self._answers.append(head.encode() + body)

    def raw(self, answer: bytes | None) -> None:
        """Answer the next request with these bytes; ``None`` hangs up."""
        self._answers.append(answer)

    def reports(self) -> list[list[list[Any]]]:
        """Return what the board reported, decoded by a library."""
        return [cbor2.loads(body) for head, body in self.requests if head.startswith(b"POST")]

    def wait_requests(self, count: int) -> None:
        """Wait until that many requests have come."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, DEADLINE)

    def close(self) -> None:
        self.hold.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)

    def _serve(self) -> None:
        while True:
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                if self._context is None:
                    self._answer(connection)
                    continue
                try:
                    secured = self._context.wrap_socket(connection, server_side=True)
                except OSError:
                    self.refused_handshakes += 1
                    continue
                with secured:
                    self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = stream.readline()
                if not line:
                    return
                head += line
            length = re.search(rb"Content-Length: (\d+)", head)
            body = stream.read(int(length[1])) if length else b""
        with self._arrived:
            self.requests.append((head, body))
            self._arrived.notify_all()
        self.hold.wait(DEADLINE)
        answer = self._answers.popleft() if self._answers else b"HTTP/1.1 204 X\r\n\r\n"
        if answer is not None:
            connection.sendall(answer)


@pytest.fixture
def literal_service() -> Iterator[Service]:
    """A service that answers 204 when it was told nothing else."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def decode() -> Callable[[str], bytes]:
    """Decode base64url without padding."""
    return lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
