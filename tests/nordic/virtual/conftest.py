"""A host for one virtual board: a loop thread, timers and endpoints, as the bench daemon offers them."""

from __future__ import annotations

import base64
import heapq
import importlib.util
import itertools
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from harness.virtual.contract import VirtualBoardSpec
from harness_nordic.virtual.board import Nrf91Board
from harness_nordic.virtual.coap_link import CoapLink
from harness_nordic.virtual.datagram_faults import DatagramFaults
from tests.nordic.virtual.agent_runs import run
from tests.nordic.virtual.coap_script import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
DEADLINE = 10.0


class _Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class LoopHost:
    """Runs callbacks on one thread; the test's own thread plays the cable."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._ended = False
        self.power_off: Callable[[], None] | None = None
        self.power_on: Callable[[], None] | None = None
        self.supply_cuts = 0
        self._sent: defaultdict[str, bytearray] = defaultdict(bytearray)
        self.failures: list[BaseException] = []
        self._workers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()

    # -- what a board sees --

    def send(self, role: str, data: bytes) -> None:
        with self._condition:
            self._sent[role] += data
            self._condition.notify_all()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> _Timer:
        timer = _Timer(callback)
        with self._condition:
            heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._order), timer))
            self._condition.notify_all()
        return timer

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.call_later(0, callback)

    def run_blocking(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - a test looks at it
                self.failures.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        self._workers.append(thread)
        thread.start()

    def cut_power(self, *, comes_back: bool) -> None:
        assert self.power_off is not None
        assert self.power_on is not None
        self.power_off()
        if comes_back:
            self.call_soon(self.power_on)
        with self._condition:
            self.supply_cuts += 1
            self._condition.notify_all()

    def replug(self) -> None:
        raise NotImplementedError

    # -- what a test sees --

    def on_loop(self, function: Callable[[], T]) -> T:
        """Call on the loop thread and return the result."""
        done = threading.Event()
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(function())
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                errors.append(error)
            done.set()

        self.call_soon(run)
        assert done.wait(DEADLINE), "the loop thread hangs"
        if errors:
            raise errors[0]
        return results[0]

    def wait_sent(self, role: str, wanted: bytes, *, start: int = 0) -> bytes:
        """Wait until an endpoint sent something, and return what it sent from a position on."""
        with self._condition:
            found = self._condition.wait_for(lambda: wanted in self._sent[role][start:], DEADLINE)
            assert found, f"{role} never sent {wanted!r} but {bytes(self._sent[role][start:])!r}"
            return bytes(self._sent[role][start:])

    def wait_dark(self) -> None:
        """Wait until the board has cut its own supply."""
        with self._condition:
            assert self._condition.wait_for(lambda: self.supply_cuts > 0, DEADLINE), "the power stays"

    def sent(self, role: str) -> bytes:
        """Return all that an endpoint sent."""
        with self._condition:
            return bytes(self._sent[role])

    def close(self) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        self._thread.join(DEADLINE)
        for worker in self._workers:
            worker.join(DEADLINE)
            assert not worker.is_alive(), "a thread of the board outlives it"

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._ended and (not self._queue or self._queue[0][0] > time.monotonic()):
                    wait = self._queue[0][0] - time.monotonic() if self._queue else None
                    self._condition.wait(wait)
                if self._ended and (not self._queue or self._queue[0][0] > time.monotonic()):
                    return
                callback = heapq.heappop(self._queue)[2].callback
            if callback is not None:
                callback()


class BoardInHand:
    """A board on a host, driven from the test's thread."""

    def __init__(self, kind: str, number: int, options: dict[str, Any]) -> None:
        self.host = LoopHost()
        spec = VirtualBoardSpec(id="board-1", kind=kind, number=number, options=options)
        try:
            self.board = Nrf91Board(self.host, spec)
            self.host.power_off, self.host.power_on = self.board.power_off, self.board.power_on
        except BaseException:
            self.host.close()
            raise

    def power_on(self) -> None:
        self.host.on_loop(self.board.power_on)

    def power_off(self) -> None:
        self.host.on_loop(self.board.power_off)

    def call(self, method: str, **params: Any) -> Any:
        return self.host.on_loop(lambda: self.board.call(method, params))

    def type(self, data: bytes) -> None:
        """Type bytes into the console."""
        self.host.on_loop(lambda: self.board.receive("console", data))

    def at(self, command: str) -> str:
        """Run a command in the modem, past the line; the text of the reply."""
        reply = self.host.on_loop(lambda: self.board.modem.execute(command))
        assert reply is not None
        return reply

    def offline(self) -> None:
        assert self.at("AT+CFUN=4") == "OK\r\n"
        assert self.at("AT+CMEE=1") == "OK\r\n"

    def close(self) -> None:
        self.host.on_loop(self.board.close)
        self.host.close()
        assert self.host.failures == []


def boards_in_hand() -> Iterator[Callable[..., BoardInHand]]:
    """Make boards that are switched on; they end with the fixture that this is of."""
    boards: list[BoardInHand] = []

    def make(kind: str = "nrf9151dk-virtual", number: int = 0, **options: Any) -> BoardInHand:
        board = BoardInHand(kind, number, options)
        boards.append(board)
        board.power_on()
        return board

    yield make
    for board in boards:
        board.close()


@pytest.fixture
def make_board() -> Iterator[Callable[..., BoardInHand]]:
    """Make boards that are switched on; they end with the test."""
    yield from boards_in_hand()


@pytest.fixture
def board(make_board: Callable[..., BoardInHand]) -> BoardInHand:
    """An nRF9151 DK that is switched on."""
    return make_board()


@pytest.fixture
def openssl() -> Any:
    """The OpenSSL command line."""
    spec = importlib.util.spec_from_file_location("nordic_openssl", Path(__file__).with_name("openssl.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def unpack() -> Callable[[str], bytes]:
    """Decode base64url without padding."""
    return lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate that OpenSSL made (PEM, LF, no line break at its end)."""
    directory = tmp_path_factory.mktemp("certificate")
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test"
    openssl = shutil.which("openssl")
    assert openssl is not None
    arguments = [*make.split(), "-keyout", "key.pem", "-out", "crt.pem"]
    subprocess.run([openssl, *arguments], cwd=directory, check=True, capture_output=True)
    return (directory / "crt.pem").read_text().strip()


@pytest.fixture
def service(literal_service: Any) -> Any:
    """A service that answers 204 when it was told nothing else."""
    return literal_service


@pytest.fixture
def provision(board: Any, service: Any) -> Callable[..., list[dict[str, Any]]]:
    """Let the board provision until a notification comes, and return what its agent did."""
    board.call("set_service", url=service.url)
    return lambda wanted=0: run(board, wanted)


@pytest.fixture
def script() -> Iterator[Script]:
    """A service of literal bytes."""
    script = Script()
    yield script
    script.close()


@pytest.fixture
def make_link() -> Iterator[Callable[..., CoapLink]]:
    """Make links that are impatient; they end with the test."""
    links: list[CoapLink] = []

    def make(port: int | None, **changes: Any) -> CoapLink:
        usual: dict[str, Any] = {
            "rx_size": 2304,
            "timeout": 0.5,
            "ack_timeout": 0.03,
            "block_size": 64,
            "faults": DatagramFaults(),
            "answered": lambda _name: None,
            "repeated": lambda _name: None,
        }
        link = CoapLink(None if port is None else f"coap://127.0.0.1:{port}", **{**usual, **changes})
        links.append(link)
        return link

    yield make
    for link in links:
        link.close()
