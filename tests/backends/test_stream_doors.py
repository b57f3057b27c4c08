"""A fake may have parts that speak protocols of their own over TCP; the runner serves and ends them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness.backends.launcher import start_fake
from harness.backends.streams import StreamListener

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from harness.backends.contract import BackendSpec
    from harness.backends.launcher import RunningFake

DEADLINE = 10.0
MODULE = """
import asyncio
import ssl

from tiny_fake import Fake


class Door:
    scheme, url = "toy+tcp", ""

    def __init__(self, name):
        self.name = name

    async def handle(self, reader, writer):
        line = (await reader.readline()).decode().strip()
        if line == "secure":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("cert.pem", "key.pem")
            writer.write(b"go\\n")
            await writer.start_tls(context)
            line = (await reader.readline()).decode().strip()
        if line == "crash":
            raise RuntimeError("the handler crashed")
        if line == "wait":
            writer.write(b"waiting\\n")
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                with open("ended", "a") as file:
                    file.write(f"{self.name} ended\\n")
        if line == "more":
            writer.write(b"more\\n")
            await reader.readexactly(100)
        writer.write(f"{self.name} at {self.url} heard {line}\\n".encode())


class FakeWithStreams(Fake):
    def __init__(self, options):
        super().__init__(options)
        self.streams = {"bootstrap": Door("bootstrap"), "devices": Door("devices")}

    def close(self):
        with open("ended", "a") as file:
            file.write("closed\\n")


def create(settings):
    return FakeWithStreams(dict(settings.options))
"""


@pytest.fixture
def fake(spec: BackendSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningFake]:
    """A fake with two streams, whose directory is the current one."""
    (tmp_path / "modules" / "fake_with_streams.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    with start_fake(replace(spec, fake="fake_with_streams:create"), tmp_path, lifeline=None) as running:
        yield running


def connect(fake: RunningFake, name: str = "bootstrap") -> socket.socket:
    """Connect to a stream."""
    parts = urlsplit(fake.backend.addresses[name])
    assert parts.scheme == "toy+tcp"
    assert parts.hostname == "127.0.0.1"
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), DEADLINE)


def ask(link: socket.socket, line: str) -> str:
    """Send a line, and return what comes until the end."""
    link.sendall(f"{line}\n".encode())
    with link.makefile("r") as answers:
        return answers.read()


def test_each_stream_has_an_address_of_its_own(fake: RunningFake) -> None:
    """Each is served where the backend says, knows its own address, and is closed at the end."""
    assert set(fake.backend.addresses) == {"bootstrap", "devices"}
    assert len({fake.backend.url, *fake.backend.addresses.values()}) == 3
    for name, url in fake.backend.addresses.items():
        with connect(fake, name) as link:
            assert ask(link, "hello") == f"{name} at {url} heard hello\n"


def test_connections_are_served_side_by_side(fake: RunningFake) -> None:
    """One that waits keeps no other one waiting."""
    with connect(fake) as first, connect(fake) as second, connect(fake, "devices") as third:
        first.sendall(b"wait\n")
        assert first.recv(100) == b"waiting\n"
        assert ask(second, "a").endswith("heard a\n")
        assert ask(third, "b").endswith("heard b\n")


def test_door_that_speaks_tls(fake: RunningFake, tmp_path: Path) -> None:
    """A handler may begin to speak TLS, on the loop that serves fakes."""
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    files = "-keyout key.pem -out cert.pem"
    subprocess.run(
        ["openssl", *make.split(), "-addext", "subjectAltName=DNS:localhost", *files.split()],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with connect(fake) as link:
        link.sendall(b"secure\n")
        assert link.recv(100) == b"go\n"
        with context.wrap_socket(link, server_hostname="localhost") as secure:
            assert ask(secure, "hidden").endswith("heard hidden\n")


def test_exception_of_a_handler_ends_one_connection(fake: RunningFake) -> None:
    """The log says what it was, and the fake goes on."""
    with connect(fake) as waiting:
        waiting.sendall(b"wait\n")
        assert waiting.recv(100) == b"waiting\n"
        with connect(fake) as link:
            assert ask(link, "crash") == ""
        with connect(fake) as link:
            assert ask(link, "after") != ""
        waiting.setblocking(False)
        with pytest.raises(BlockingIOError):
            waiting.recv(100)
    log = fake.log.read_text()
    assert "bootstrap: a connection was not served to its end" in log
    assert "RuntimeError: the handler crashed" in log


@pytest.mark.parametrize("abruptly", [False, True])
def test_other_end_that_goes_away_is_nothing_to_log(fake: RunningFake, abruptly: bool) -> None:  # noqa: FBT001
    """Whoever hangs up in the middle is no trouble of the fake's."""
    with connect(fake) as link:
        link.sendall(b"more\n")
        assert link.recv(100) == b"more\n"
        if abruptly:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    with connect(fake) as link:
        assert ask(link, "after") != ""

    assert "was not served" not in fake.log.read_text()


def test_end_ends_every_connection(fake: RunningFake, tmp_path: Path) -> None:
    """Handlers are ended and awaited before the fake is closed; nobody listens afterwards."""
    links = [connect(fake, name) for name in ("bootstrap", "devices")]
    for link in links:
        link.sendall(b"wait\n")
        assert link.recv(100) == b"waiting\n"
    fake.close()

    for link in links:
        with closing(link):
            assert link.recv(100) == b""
    assert sorted((tmp_path / "ended").read_text().splitlines()[:2]) == ["bootstrap ended", "devices ended"]
    assert (tmp_path / "ended").read_text().endswith("closed\n")
    with pytest.raises(ConnectionRefusedError):
        connect(fake)


# -- one listener alone --------------------------------------------------------------------------------------


class Toy:
    """A door that does as it was told."""

    scheme, url = "toy", ""

    def __init__(self, doing: Callable[[], Awaitable[object]]) -> None:
        self._doing = doing

    async def handle(self, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await self._doing()


def test_handler_that_does_not_end(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A door that will not be ended does not keep the fake from ending, and is told of."""
    monkeypatch.setattr("harness.backends.streams.LONGEST_END", 0.05)

    async def run() -> None:
        let_go, began, stubborn = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def refuse() -> None:
            began.set()
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                stubborn.set()
                await let_go.wait()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with StreamListener(Toy(refuse), "toy", listener):
                _reader, writer = await asyncio.open_connection(*listener.getsockname())
                await asyncio.wait_for(began.wait(), DEADLINE)
            assert stubborn.is_set()
            let_go.set()
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), DEADLINE)

    asyncio.run(run())
    assert "toy: 1 of its connections do not end" in caplog.text


def test_other_end_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose other end takes nothing is given up soon after its handler returned."""
    monkeypatch.setattr("harness.backends.streams.LONGEST_CLOSING", 0.05)
    talked: asyncio.Queue[tuple[asyncio.StreamWriter, asyncio.Task[None] | None]] = asyncio.Queue()

    class Talker:
        scheme, url = "toy", ""

        async def handle(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"x" * 50_000_000)
            assert writer.transport.get_write_buffer_size() > 0
            talked.put_nowait((writer, asyncio.current_task()))

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with StreamListener(Talker(), "toy", listener):
                with socket.create_connection(listener.getsockname()):
                    writer, task = await asyncio.wait_for(talked.get(), DEADLINE)
                    assert task is not None
                    await asyncio.wait_for(task, DEADLINE)
                    assert writer.transport.get_write_buffer_size() == 0

    asyncio.run(run())
