"""A CoAP service of literal bytes, and what it answers."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from harness_nordic.virtual.coap_link import Request

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 10.0
FETCH = Request(code=1, path="p/cmd", query=("after=",), accept=60)


class Script:
    """A service that answers each datagram as a test says, and keeps what came."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.answer: Callable[[bytes], list[bytes]] = lambda _data: []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> list[bytes]:
        """Wait until so many datagrams have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, DEADLINE)
            return list(self.received)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(DEADLINE)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65536)
            if not data:
                return
            with self._came:
                self.received.append(data)
                self._came.notify_all()
            for answer in self.answer(data):
                self._socket.sendto(answer, peer)


def piggybacked(data: bytes, code: int, more: bytes = b"") -> bytes:
    """Answer a request with four bytes of token by an acknowledgement."""
    return bytes([0x64, code]) + data[2:8] + more
