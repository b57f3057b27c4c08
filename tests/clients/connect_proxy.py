"""An HTTP proxy that knows the method CONNECT only: it leads the real service's hosts to a fake.

Nothing is taken apart: the TLS connection is between client and fake, the proxy passes its bytes on and keeps
a copy of them. By hand, until Ctrl-C:

    python -m tests.clients.connect_proxy https://127.0.0.1:PORT api.nrfcloud.com
"""

from __future__ import annotations

import re
import signal
import socket
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

CONNECT = re.compile(rb"CONNECT ([^\s:]+):(\d+) HTTP/1\.[01]\r\n")
LONGEST_HEAD = 8192
DEADLINE = 60.0


@dataclass(slots=True, kw_only=True)
class Tunnel:
    """One connection through the proxy.

    :ivar host: what the client asked for.
    :ivar port: likewise.
    :ivar sent: what it sent.
    :ivar received: what came back.
    """

    host: str
    port: int
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)


class ConnectProxy:
    """Listens on 127.0.0.1 while it is entered.

    :ivar url: for ``HTTPS_PROXY``.
    :ivar tunnels: the connections so far.
    :ivar refused: what clients asked for besides.
    """

    def __init__(self, hosts: Collection[str], address: tuple[str, int]) -> None:
        """Lead hosts somewhere.

        :param hosts: the names, each at port 443.
        :param address: where they are led.
        """
        self._hosts = frozenset(hosts)
        self._address = address
        self._threads: list[threading.Thread] = []
        self._open = ExitStack()
        self._ending = False
        self.tunnels: list[Tunnel] = []
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        """Listen."""
        self._listener = self._open.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop listening, and wait for the connections, which end with their clients."""
        self._ending = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._open.close()
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a client has a connection open still"

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]  # callables all
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _peer = self._listener.accept()
            except OSError:
                if self._ending:
                    return
                raise
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(DEADLINE)
            head = b""
            while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
                piece = client.recv(LONGEST_HEAD)
                if not piece:
                    return
                head += piece
            asked = CONNECT.match(head)
            if asked is None or asked[1].decode() not in self._hosts or int(asked[2]) != 443:
                self.refused.append(head.partition(b"\r\n")[0].decode(errors="replace"))
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(self._address, timeout=DEADLINE) as service:
                tunnel = Tunnel(host=asked[1].decode(), port=int(asked[2]))
                self.tunnels.append(tunnel)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pass_on, args=(service, client, tunnel.received), daemon=True)
                back.start()
                _pass_on(client, service, tunnel.sent)
                back.join(DEADLINE)


def _pass_on(source: socket.socket, target: socket.socket, copy: bytearray) -> None:
    with suppress(OSError):  # either end may go away in the middle: the other is told so
        while data := source.recv(65536):
            copy += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def main(address: str, *hosts: str) -> None:
    """Lead hosts to an address until Ctrl-C, and print what ``HTTPS_PROXY`` has to be.

    :param address: URL of the fake's TLS door.
    """
    place = urlsplit(address)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with ConnectProxy(hosts, (place.hostname or "", place.port or 443)) as proxy:
        print(f"HTTPS_PROXY={proxy.url}", flush=True)  # noqa: T201 - the one thing that it has to say
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main(*sys.argv[1:])
