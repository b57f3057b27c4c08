"""A fake that is served to all tests, an account of its own for each, and a service on paper besides."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.backends.contract import Backend, BackendSession, Exchange
from harness.backends.http import ServiceHttp
from harness.backends.launcher import start_fake
from harness_pelion.client import PelionClient, connect
from harness_pelion.client_access import terms_for
from harness_pelion.client_world import World
from harness_pelion.plugin import harness_backends
from tests.books import Book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NUMBERS = itertools.count(1)


@dataclass
class Desk:
    """A session's side of a client: what it noted, exchanged and called a secret."""

    run_id: str = field(default_factory=lambda: f"run{next(_NUMBERS)}")
    book: Book = field(default_factory=Book)
    exchanges: list[Exchange] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def session(self) -> BackendSession:
        """Return what a worker gives the client factory."""
        return BackendSession(
            run_id=self.run_id,
            worker="gw0",
            on_exchange=self.exchanges.append,
            register_secret=lambda value, _label: self.secrets.add(value),
            accounts=self.book,
        )


@pytest.fixture(scope="package")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A fake in a process of its own."""
    (spec,) = harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("pelion"), lifeline=None) as fake:
        yield fake.backend


@pytest.fixture
def desk() -> Desk:
    """The session's side."""
    return Desk()


@pytest.fixture
def pelion(backend: Backend, desk: Desk) -> Iterator[PelionClient]:
    """A client of an account that nobody else has."""
    client = connect(backend, desk.session())
    yield client
    with suppress(Exception):
        client.undo()
    client.close()


class Paper:
    """A service that says what it was told to say, path by path; the last answer is said again and again.

    :ivar asked: every request.
    """

    def __init__(self) -> None:
        """Say 404 to everything."""
        self.asked: list[httpx.Request] = []
        self._answers: dict[tuple[str, str], list[httpx.Response | None]] = {}

    def says(self, method: str, path: str, content: Any = None, *, status: int = 200, **headers: str) -> None:
        """Say something to requests of a path; several in their order.

        :param content: bytes, or what is written as JSON.
        """
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.setdefault((method, path), []).append(
            httpx.Response(status, content=body, headers=named)
        )

    def hangs_up(self, method: str, path: str) -> None:
        """Give no answer."""
        self._answers.setdefault((method, path), []).append(None)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.asked.append(request)
        queue = self._answers.get((request.method, request.url.path))
        if queue is None:
            return httpx.Response(404, json={"object": "error", "type": "not_found", "message": "not here"})
        said = queue.pop(0) if len(queue) > 1 else queue[0]
        if said is None:
            raise httpx.ReadError("hung up", request=request)
        return httpx.Response(said.status_code, content=said.content, headers=said.headers)


@pytest.fixture
def paper() -> Paper:
    """A service on paper."""
    return Paper()


@pytest.fixture
def on_paper(paper: Paper, desk: Desk) -> Iterator[PelionClient]:
    """A client of the service on paper."""
    client = paper_client(paper, desk)
    yield client
    client.close()


def paper_client(
    paper: Paper, desk: Desk, *, guarded: bool = False, before: Callable[[Any], None] | None = None
) -> PelionClient:
    """Connect to a service on paper."""
    http = ServiceHttp(
        "http://pelion.example",
        on_exchange=desk.exchanges.append,
        terms=terms_for(before or (lambda _change: None)),
    )
    http._client.close()
    http._client = httpx.Client(base_url="http://pelion.example", transport=httpx.MockTransport(paper.handle))
    backend = Backend(name="pelion", mode="url", url="http://pelion.example")
    world = World(backend=backend, session=desk.session(), http=http, labels={"key": "k"}, guarded=guarded)
    return PelionClient(world, "ak_0123456789abcdef0123")
