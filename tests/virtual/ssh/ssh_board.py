"""A board that does nothing but be reached by SSH, and the client that reaches it."""

from __future__ import annotations

import asyncio
import base64
import io
import socket
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import paramiko

from harness.virtual.ssh import KEY, KeptPort, KeyPair, SshServer, Turned, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    import asyncssh

    from harness.virtual.async_thread import AsyncThread

T = TypeVar("T")

DEADLINE = 20.0
USER = "somebody"


class Commands:
    """What boards of a test run: one command holds until the test lets it go on.

    :ivar begun: that command is under way.
    :ivar ended: how it ended.
    """

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended: Future[str] = Future()
        self._go_on: Future[None] = Future()

    def go_on(self) -> None:
        """Let the command that holds come to its end."""
        self._go_on.set_result(None)

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Serve a request."""
        command = process.command or ""
        if command == "fail":
            raise ZeroDivisionError("a defect of the board")
        if command == "hold":
            self.begun.set()
            try:
                await asyncio.wrap_future(self._go_on)
            except asyncio.CancelledError:
                self.ended.set_result("cancelled")
                raise
            self.ended.set_result("done")
        process.stdout.write(f"did {command}\n".encode())
        process.exit(7)


@dataclass
class AsyncHost:
    """What a bench gives a server."""

    thread: AsyncThread

    def run_async(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine."""
        return self.thread.start(work)


@contextmanager
def blocked(host: AsyncHost) -> Iterator[None]:
    """Keep the loop from everything else, as nobody must."""
    began, end_of_it = threading.Event(), threading.Event()

    async def block() -> None:
        began.set()
        end_of_it.wait(DEADLINE)

    host.run_async(block())
    assert began.wait(DEADLINE), "the loop does not come to it"
    try:
        yield
    finally:
        end_of_it.set()


class SshBoard:
    """A board that is reached by SSH.

    :ivar visit: what becomes of the next connections; an exception is raised.
    :ivar came: how many connections there were.
    :ivar on_coming: called when one comes, before it is served; on the server's loop.
    """

    def __init__(self, host: AsyncHost, name: str) -> None:
        """Refuse everybody for now."""
        self.port, self.commands = KeptPort("127.0.0.1"), Commands()
        self.host_key, self.user_key = KeyPair.generate(), KeyPair.generate()
        self.server = SshServer(host, name, self.port, self.host_key.private, self._receive)
        self.visit: Visit | Turned | Exception = Visit(
            user=USER, method=KEY, key=self.user_key.public, serve=self.commands.serve
        )
        self.came = 0
        self.on_coming: Callable[[], None] = lambda: None
        self._news = threading.Condition()

    def wait_until_came(self, count: int) -> None:
        """Wait until so many connections were taken: a client is connected before the board knows of it."""
        with self._news:
            assert self._news.wait_for(lambda: self.came >= count, DEADLINE), f"{self.came} came"

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.port.address, self.port.number

    @contextmanager
    def log_in(self, link: socket.socket | None = None) -> Iterator[paramiko.Transport]:
        """Log in by the user's key, at this board and no other, on this connection or a new one."""
        transport = paramiko.Transport(link or self.address)
        try:
            kind, blob = self.host_key.public.split()
            transport.connect(hostkey=paramiko.PKey.from_type_string(kind, base64.b64decode(blob)))
            key = paramiko.Ed25519Key.from_private_key(io.StringIO(self.user_key.private))
            transport.auth_publickey(USER, key)
            yield transport
        finally:
            transport.close()

    def greets(self) -> bool:
        """Tell whether who comes is told that there is SSH."""
        with socket.create_connection(self.address, DEADLINE) as link:
            try:
                return link.recv(8) == b"SSH-2.0-"
            except TimeoutError:
                return False

    def run(self, command: str) -> tuple[int, bytes]:
        """Run a command on a connection of its own."""
        with self.log_in() as transport:
            return end(begin(transport, command))

    def _receive(self) -> Visit | Turned:
        with self._news:
            self.came += 1
            self._news.notify_all()
        self.on_coming()
        if isinstance(self.visit, Exception):
            raise self.visit
        return self.visit


def begin(transport: paramiko.Transport, command: str) -> paramiko.Channel:
    """Begin a command."""
    channel = transport.open_session(timeout=DEADLINE)
    channel.settimeout(DEADLINE)
    channel.exec_command(command)
    return channel


def end(channel: paramiko.Channel) -> tuple[int, bytes]:
    """Wait for the end of a command; -1: the connection was cut."""
    said = channel.recv(1000)
    assert channel.status_event.wait(DEADLINE), "no end"
    return channel.exit_status, said
