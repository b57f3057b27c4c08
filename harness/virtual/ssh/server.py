"""The SSH server of a virtual board: it listens while the board wants it to, at a port that stays the same.

It is driven on the bench's loop thread and works on the bench's asyncio loop, beside those of other boards.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from harness.virtual.ssh.visits import Turned

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from harness.virtual.ssh.connections import Connections
    from harness.virtual.ssh.port import KeptPort
    from harness.virtual.ssh.visits import Visit

T = TypeVar("T")

_CLOSING_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Host(Protocol):
    """What is needed of the bench; a :class:`~harness.virtual.contract.BoardHost` has it."""

    def run_async(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine on the bench's asyncio loop."""


class SshServer:
    """Serves one board's port. Every method is called on the bench's loop thread."""

    def __init__(
        self, host: Host, name: str, port: KeptPort, host_key: str, receive: Callable[[], Visit | Turned]
    ) -> None:
        """Refuse everybody for now.

        :param name: of the board, for the log.
        :param port: closed with the server.
        :param host_key: the private key that the board is known by, as OpenSSH writes it.
        :param receive: says of each connection what becomes of it; called on the asyncio loop.
        """
        self._host = host
        self._name = name
        self._port = port
        self._host_key = host_key
        self._receive = receive
        self._used = False
        self._period = 0
        self._ending: Future[None] | None = None
        # Of the asyncio loop:
        self._turn = asyncio.Lock()
        self._connections: Connections | None = None
        self._watched: int | None = None
        self._coming: set[asyncio.Task[None]] = set()
        self._silent: list[socket.socket] = []

    def listen(self) -> None:
        """Take connections; whoever connects from now on is served as soon as the loop comes to it."""
        if not self._port.listens:
            self._period += 1
            self._port.listen()
            self._start(self._accept_from_now(self._period))

    def refuse(self) -> None:
        """Take no more connections; those that there are stay."""
        self._port.refuse()

    def cut(self) -> None:
        """Cut every connection that has come."""
        if self._used and self._ending is None:
            self._start(self._cut_all())

    def drop_silent(self) -> None:
        """Close the connections that were told nothing."""
        if self._used and self._ending is None:
            self._start(self._drop_silent())

    def close(self, seconds: float = _CLOSING_SECONDS) -> None:
        """Cut everything, and give the port back; idempotent.

        :param seconds: how long to wait for connections to end; who is left then is told to the log.
        """
        self.refuse()
        if self._ending is None and self._used:
            self._ending = self._host.run_async(self._cut_all())
            self._ending.add_done_callback(self._report)
        if self._ending is not None and wait([self._ending], seconds).not_done:
            _log.error("%s: SSH does not end within %g s", self._name, seconds)
        self._port.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something on the asyncio loop; one thing after the other, in the order of the calls."""
        self._used = True
        self._host.run_async(work).add_done_callback(self._report)

    def _report(self, done: Future[None]) -> None:
        """Tell the bench's log what went wrong: nobody waits for it."""
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("%s: SSH failed", self._name, exc_info=error)

    # -- on the asyncio loop ------------------------------------------------------------------------------

    async def _accept_from_now(self, period: int) -> None:
        async with self._turn:
            self._end_accepting()
            if self._connections is None:
                from harness.virtual.ssh.connections import Connections

                self._connections = Connections(self._name, self._host_key)
            self._watched = self._port.listener.fileno()
            asyncio.get_running_loop().add_reader(self._watched, self._accept, self._connections, period)

    def _end_accepting(self) -> None:
        watched, self._watched = self._watched, None
        if watched is not None:
            asyncio.get_running_loop().remove_reader(watched)

    async def _cut_all(self) -> None:
        async with self._turn:
            self._end_accepting()
            # Handing one over waits for nobody outside. Broken off it would leave a connection that nothing
            # ends any more, and its number to be closed twice, the second time perhaps as somebody else's.
            await asyncio.gather(*self._coming, return_exceptions=True)
            if self._connections is not None:
                await self._connections.cut()
            self._close_silent()

    async def _drop_silent(self) -> None:
        async with self._turn:
            self._close_silent()

    def _close_silent(self) -> None:
        silent, self._silent = self._silent, []
        for each in silent:
            each.close()

    def _accept(self, connections: Connections, period: int) -> None:
        """Take who has come."""
        if period != self._period:
            # Who comes now comes to a port that was opened anew: what ended the period before is done first.
            self._end_accepting()
            return
        try:
            accepted, _address = self._port.listener.accept()
        except BlockingIOError:  # it has gone again
            return
        except OSError:  # nobody listens any more
            self._end_accepting()
            return
        accepted.setblocking(False)
        received = self._decide()
        if received is Turned.CUT:
            accepted.close()
        elif received is Turned.SILENT:
            self._silent.append(accepted)
        else:
            task = asyncio.get_running_loop().create_task(self._take(connections, accepted, received))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)

    def _decide(self) -> Visit | Turned:
        try:
            return self._receive()
        except Exception:  # noqa: BLE001 - one connection: the others are served
            _log.exception("%s: SSH failed", self._name)
            return Turned.CUT

    async def _take(self, connections: Connections, accepted: socket.socket, visit: Visit) -> None:
        """Hand a connection over to asyncssh."""
        try:
            await connections.take(accepted, visit)
        except OSError as error:
            _log.debug("%s: a connection went before it was served: %s", self._name, error)
            accepted.close()
        except Exception:  # noqa: BLE001 - one connection: the others are served
            _log.exception("%s: SSH failed", self._name)
            accepted.close()
