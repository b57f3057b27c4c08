"""What single operations cost at the least, measured where they are needed: signatures, AT, HTTP.

Each is the plainest way to do it in Python with the same library or the bare kernel: no capture, no index, no
typed client, no fake. They are done in turn, as in a run, not each in a tight loop, where everything would
lie in the caches. A floor is the mean, because a run is a sum of such operations: on a busy machine a few of
them wait long, and both sides have their share of that.
"""

from __future__ import annotations

import http.client
import multiprocessing
import queue
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import serial
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.bench_console import respond
from harness.backends.contract import BackendSpec
from harness.backends.launcher import start_fake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from harness.backends.contract import FakeSettings

CURVE = ec.SECP256R1()
ES256 = ec.ECDSA(hashes.SHA256())
BODY = b'{"description": "", "request": {"finished": {}}}'
ANSWER = b'{"id": "00000000-0000-4000-8000-000000000000", "status": "PENDING"}'


@dataclass(frozen=True, kw_only=True)
class Floors:
    """Mean seconds of one operation each.

    :ivar sign: ECDSA on P-256 with SHA-256.
    :ivar verify: the same, verified.
    :ivar make_key: a key pair on P-256.
    :ivar at: ``AT`` answered ``OK`` through raw pyserial, by a process that does nothing else on a bare pty.
    :ivar http: POST of a small JSON by httpx on a connection that stays, answered by a bare starlette route.
    :ivar http_anew: the same by ``http.client`` on a connection of its own, as devices do.
    :ivar hand_over: a call from one thread to another and its answer: an AT command of the board's own agent.
    """

    sign: float
    verify: float
    make_key: float
    at: float
    http: float
    http_anew: float
    hand_over: float


class BareRoute:
    """A fake whose one route answers anything with a small JSON."""

    def __init__(self) -> None:
        """Make the applications."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        self._service = Starlette(routes=[Route("/bare", self.answer, methods=["POST"])])
        self._control = Starlette()

    @property
    def service(self) -> Starlette:
        """The route."""
        return self._service

    @property
    def control(self) -> Starlette:
        """Nothing."""
        return self._control

    async def answer(self, request: Request) -> Response:
        """Read the body and answer."""
        from starlette.responses import Response

        await request.body()
        return Response(ANSWER, media_type="application/json")


def bare_route(_settings: FakeSettings) -> BareRoute:
    """Make the route; the server's process calls this."""
    return BareRoute()


def mean_seconds_in_turn(operations: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the mean seconds of each operation."""
    spent = dict.fromkeys(operations, 0.0)
    for _round in range(rounds):
        for name, operation in operations.items():
            started = time.perf_counter()
            operation()
            spent[name] += time.perf_counter() - started
    return {name: seconds / rounds for name, seconds in spent.items()}


class FloorMeter:
    """Measures the floors as often as one likes; its servers run meanwhile."""

    def __init__(self, count: int = 60) -> None:
        """Prepare.

        :param count: operations of each kind in one measurement.
        """
        self._count = count
        self._stack = ExitStack()
        self._url = self._path = ""

    def __enter__(self) -> Self:
        """Start the servers."""
        with ExitStack() as stack:
            self._url = stack.enter_context(bare_http())
            self._path = stack.enter_context(bare_board())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        """End them."""
        self._stack.close()

    def measure(self) -> Floors:
        """Measure every floor once."""
        key = ec.generate_private_key(CURVE)
        public = key.public_key()
        data = b"x" * 300
        signature = key.sign(data, ES256)
        with (
            serial.Serial(self._path, 115200, timeout=5) as port,
            httpx.Client(base_url=self._url) as client,
            _other_thread() as hand_over,
        ):
            operations: dict[str, Callable[[], object]] = {
                "at": lambda: _ask(port),
                "sign": lambda: key.sign(data, ES256),
                "http": lambda: _post(client),
                "verify": lambda: public.verify(signature, data, ES256),
                "hand_over": hand_over,
                "make_key": lambda: ec.generate_private_key(CURVE),
                "http_anew": lambda: _post_anew(self._url),
            }
            for operation in operations.values():
                operation()
            return Floors(**mean_seconds_in_turn(operations, self._count))


@contextmanager
def bare_http() -> Iterator[str]:
    """Serve the bare route as fakes are served; give its URL."""
    spec = BackendSpec(name="bare", title="bare route", client="", fake="benchmarks.floors:bare_route")
    with tempfile.TemporaryDirectory() as name, start_fake(spec, Path(name), lifeline=None) as fake:
        yield fake.backend.url


@contextmanager
def bare_board() -> Iterator[str]:
    """Let a process of its own answer AT on a bare pty; give its path."""
    near, far = multiprocessing.Pipe()
    board = multiprocessing.get_context("spawn").Process(target=respond, args=(far,))
    board.start()
    try:
        yield near.recv()
    finally:
        near.send(None)
        board.join()


def _ask(port: serial.Serial) -> None:
    port.write(b"AT\r")
    assert port.read_until(b"OK\r\n").endswith(b"OK\r\n")


def _post(client: httpx.Client) -> None:
    assert client.post("/bare", content=BODY).content == ANSWER


def _post_anew(url: str) -> None:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    try:
        connection.request("POST", "/bare", BODY, {"Connection": "close"})
        assert connection.getresponse().read() == ANSWER
    finally:
        connection.close()


@contextmanager
def _other_thread() -> Iterator[Callable[[], object]]:
    """Run a thread that answers; give what asks it and waits for the answer."""
    calls: queue.SimpleQueue[bool] = queue.SimpleQueue()
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def answer() -> None:
        while calls.get():
            answers.put(True)

    def ask() -> None:
        calls.put(True)
        answers.get()

    other = threading.Thread(target=answer)
    other.start()
    try:
        yield ask
    finally:
        calls.put(False)
        other.join()
