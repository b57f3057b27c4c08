"""A service of literal answers, over TCP and as a control socket, and clients that talk to it."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.backends.contract import Backend, BackendSession, Exchange
from harness_guardian.client import GuardianClient, connect
from tests.guardian.client import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CAPABILITIES = frozenset({"faults", "roles", "exact-status", "appliance"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What its body says."""
        return json.loads(self.body)


@dataclass(slots=True)
class Said:
    """An answer: status, body and headers; ``None`` for the status hangs up."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Site:
    """Says what it was told to say, path by path, and keeps what it was asked.

    The last answer of a path is said again and again.
    """

    def __init__(self) -> None:
        """Say 404 to everything."""
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Say 404 to everything again, and know of no request."""
        self._answers: list[tuple[str, re.Pattern[str], list[Said]]] = []
        self.asked: list[Asked] = []

    def says(self, method: str, path: str, status: int | None, content: Any = None, **headers: str) -> None:
        """Say something to requests of a path; several in their order.

        :param path: regular expression for the path without its query.
        :param content: bytes, or what is written as JSON.
        :param headers: with underscores for hyphens.
        """
        body = (
            content
            if isinstance(content, bytes)
            else b""
            if content is None
            else json.dumps(content).encode()
        )
        said = Said(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        with self._lock:
            for known, pattern, queue in self._answers:
                if (known, pattern.pattern) == (method, path):
                    queue.append(said)
                    return
            self._answers.insert(0, (method, re.compile(path), [said]))

    def answer(self, asked: Asked) -> Said:
        """Return what is to be said."""
        with self._lock:
            self.asked.append(asked)
            for method, pattern, queue in self._answers:
                if method == asked.method and pattern.fullmatch(asked.path.partition("?")[0]):
                    return queue.pop(0) if len(queue) > 1 else queue[0]
        return Said(404, b'{"type": "urn:guardian:problem:not-found", "title": "Not found"}')

    def requests(self, method: str, path: str) -> list[Asked]:
        """Return what was asked of a path, oldest first."""
        pattern = re.compile(path)
        with self._lock:
            return [
                asked
                for asked in self.asked
                if asked.method == method and pattern.fullmatch(asked.path.partition("?")[0])
            ]


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = site.answer(Asked(self.command, self.path, httpx.Headers(self.headers.items()), body))
            if said.status is None:
                self.close_connection = True
                return
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            if said.status not in {204, 304}:
                self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            if said.status not in {204, 304}:
                self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - names of the library

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the library
            """Write nothing."""

        def address_string(self) -> str:
            return "site"

    return Handler


class _UnixServer(ThreadingUnixStreamServer):
    daemon_threads = True


class _TcpServer(ThreadingHTTPServer):
    daemon_threads = True


@dataclass(slots=True)
class Stage:
    """The service, its appliance and its control socket, each a site of its own."""

    cloud: Site
    appliance: Site
    control: Site
    backend: Backend
    exchanges: list[Exchange] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def session(self) -> BackendSession:
        """Return what a worker gives the client factory."""
        return BackendSession(
            run_id="run1",
            worker="gw0",
            on_exchange=self.exchanges.append,
            register_secret=lambda value, label: self.secrets.update({value: label}),
        )

    def system(self, **changes: Any) -> None:
        """Let systems be made and deleted."""
        self.cloud.says("POST", "/api/v1/systems", 201, answers.system(**changes))
        self.cloud.says("POST", "/api/v1/systems/[^/]+/signer-keys", 201, answers.SIGNER_KEY)
        self.cloud.says("GET", "/api/v1/systems/[^/]+", 200, answers.system(**changes))
        self.cloud.says("DELETE", "/api/v1/systems/[^/]+", 204)


@pytest.fixture(scope="package")
def _sites() -> Iterator[tuple[list[Site], Backend]]:
    """The three sites, which listen for all tests."""
    with ExitStack() as resources:
        place = resources.enter_context(tempfile.TemporaryDirectory(prefix="gc-"))
        sites = [Site() for _number in range(3)]
        servers: list[Any] = [_TcpServer(("127.0.0.1", 0), _handler(site)) for site in sites[:2]]
        servers.append(_UnixServer(str(Path(place) / "c"), _handler(sites[2])))
        for server in servers:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            resources.callback(thread.join, 5)
            resources.callback(server.server_close)
            resources.callback(server.shutdown)
        cloud, appliance = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers[:2])
        yield (
            sites,
            Backend(
                name="guardian",
                mode="fake",
                url=cloud,
                control=str(Path(place) / "c"),
                capabilities=CAPABILITIES,
                addresses={"appliance": appliance},
            ),
        )


@pytest.fixture
def stage(_sites: tuple[list[Site], Backend]) -> Stage:
    """A service that says what it is told to say."""
    sites, backend = _sites
    for site in sites:
        site.forget()
    sites[2].says("POST", "/organisations", 201, answers.ORGANISATION)
    sites[2].says("DELETE", "/organisations/run1-gw0/orders", 204)
    return Stage(cloud=sites[0], appliance=sites[1], control=sites[2], backend=backend)


@pytest.fixture
def guardian(stage: Stage) -> Iterator[GuardianClient]:
    """An administrator of an organisation of a fake."""
    client = connect(stage.backend, stage.session())
    yield client
    with suppress(Exception):
        client.undo()
    client.close()


@pytest.fixture
def elsewhere(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], GuardianClient]]:
    """Connect to a service that is no fake of ours, with the tokens of the environment."""
    clients: list[GuardianClient] = []
    real = Backend(name="guardian", mode="url", url=stage.backend.url)

    def make() -> GuardianClient:
        clients.append(connect(real, stage.session()))
        return clients[-1]

    monkeypatch.setenv("GUARDIAN_TOKEN", "token-of-an-admin")
    yield make
    for client in clients:
        client.close()
