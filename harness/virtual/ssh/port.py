"""A TCP port that a board keeps for as long as it lives, whether it listens there or not."""

from __future__ import annotations

import errno
import socket
from contextlib import closing


class KeptPort:
    """A port that nobody else gets. Who connects while nobody listens is refused.

    :ivar listener: the socket; it never blocks.
    :ivar address: of this host.
    :ivar listens: whether it listens.
    """

    def __init__(self, address: str, port: int = 0) -> None:
        """Take a port, without listening at it.

        :param port: 0 for any.
        :raises ValueError: this host has no such address, or the port is taken.
        """
        self.address = address
        self.listener = _bound(address, port)
        self.listens = False

    @property
    def number(self) -> int:
        """The number of the port."""
        return int(self.listener.getsockname()[1])

    def listen(self) -> None:
        """Listen; nothing happens when it does."""
        if not self.listens:
            self.listener.listen()
            self.listens = True

    def refuse(self) -> None:
        """Refuse whoever connects, and who was not accepted yet."""
        if self.listens:
            # A listener that is shut down refuses, keeps its port, and can listen again.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listens = False

    def close(self) -> None:
        """Give the port back; idempotent."""
        self.listens = False
        self.listener.close()


def _bound(address: str, port: int) -> socket.socket:
    """Take a port by its number: only then it is kept while nobody listens."""
    while True:
        try:
            kept = _taken(address, port or _free_port(address))
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                reason = f"cannot listen at {address} port {port}: {error.strerror}"
                raise ValueError(reason) from error
            # somebody else was quicker
        else:
            return kept


def _free_port(address: str) -> int:
    with closing(_taken(address, 0)) as free:
        return int(free.getsockname()[1])


def _taken(address: str, port: int) -> socket.socket:
    (family, kind, protocol, _name, place), *_others = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )
    taken = socket.socket(family, kind, protocol)
    try:
        if port:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.setblocking(False)
        taken.bind(place)
    except OSError:
        taken.close()
        raise
    return taken
