"""A Vault of ours that really listens, and the clients that ask it: hvac and OpenSSL."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import hvac
import hvac.exceptions
import uvicorn

from harness.backends.http_protocol import FakeHttpProtocol
from harness_guardian.vault.service import VaultService

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "hvs.the-token-of-these-tests"
SYSTEM = "0123456789abcdef0123456789abcdef"


class Served:
    """A Vault in a thread of its own.

    :ivar service: what is served.
    :ivar url: where.
    """

    def __init__(self, service: VaultService, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self.url = url
        self._loop = loop

    def client(self, token: str = TOKEN) -> hvac.Client:
        """Return a client; close its adapter."""
        return hvac.Client(url=self.url, token=token, timeout=20, verify=False)

    def order(self, *, system: str = SYSTEM, **fault: Any) -> str:
        """Order a fault for one system."""
        order = self.service.faults.order
        return str(self.on_its_loop(lambda: order(concerns=system.__eq__, **fault)))

    def on_its_loop(self, work: Any) -> Any:
        """Do something where the service runs, and return what comes of it."""

        async def run() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)


@contextmanager
def served(application: Any) -> Iterator[tuple[str, asyncio.AbstractEventLoop]]:
    """Serve an application as the runner of fakes does, in a thread of its own; give its address."""
    ready = threading.Event()
    where: dict[str, Any] = {}

    async def serve() -> None:
        config = uvicorn.Config(
            application,
            port=0,
            loop="none",
            http=FakeHttpProtocol,
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        listener = config.bind_socket()
        try:
            await server.startup(sockets=[listener])
            stop = asyncio.Event()
            port = listener.getsockname()[1]
            where.update(url=f"http://127.0.0.1:{port}", loop=asyncio.get_running_loop(), stop=stop)
            ready.set()
            await stop.wait()
            for each in server.servers:
                each.close()
            for connection in list(server.server_state.connections):
                connection.transport.close()
        finally:
            listener.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="served", daemon=True)
    thread.start()
    assert ready.wait(20), "the service did not begin to listen"
    loop = where["loop"]
    try:
        yield where["url"], loop
    finally:
        loop.call_soon_threadsafe(where["stop"].set)
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def served_vault() -> Iterator[Served]:
    """Serve a Vault."""
    service = VaultService(TOKEN)
    with ExitStack() as resources:
        url, loop = resources.enter_context(served(service.application))
        yield Served(service, url, loop)


def openssl(*words: str | Path, stdin: bytes = b"") -> bytes:
    """Run OpenSSL, which has to succeed, and return what it wrote."""
    ran = subprocess.run(
        ["/usr/bin/openssl", *words], input=stdin, capture_output=True, check=False, timeout=20
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


def openssl_says(*words: str | Path) -> str:
    """Run OpenSSL, whatever it comes to, and return what it said."""
    ran = subprocess.run(["/usr/bin/openssl", *words], capture_output=True, check=False, timeout=20)
    return (ran.stdout + ran.stderr).decode()


def first_error(error: hvac.exceptions.VaultError) -> str:
    """Return the first text of an answer with errors."""
    assert error.errors, "the answer has no errors"
    return next(iter(error.errors))
