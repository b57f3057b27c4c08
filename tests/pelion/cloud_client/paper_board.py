"""What a client needs of its board, without one: a loop thread, a supply, a store in memory."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from harness.virtual.clock import BoardClock
from harness_pelion.virtual import power
from harness_pelion.virtual.client_log import ClientLog
from harness_pelion.virtual.cloud_client import CloudClient
from harness_pelion.virtual.kcm import KcmRefusal
from tests.pelion.cloud_client.pki import ACCOUNT, ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.virtual.power_points import PowerPoints
    from tests.pelion.cloud_client.pki import Pki

T = TypeVar("T")
DEADLINE = 10.0
VENDOR_ID = bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe")
CLASS_ID = bytes.fromhex("4d131344feab5a2e84a20dccdd905f35")


@dataclass(slots=True)
class PaperSettings:
    """Short waits."""

    lifetime_s: float = 600
    register_every_s: float = 300
    client_timeout_s: float = 5
    retry_first_s: float = 0.02
    retry_longest_s: float = 0.05
    link_up: bool = True


class PaperStore:
    """A store in memory that passes the points of the real one.

    :ivar items: what it holds.
    :ivar refusal: why it takes nothing, when it does not.
    :ivar commits: the names of the items of each write.
    """

    def __init__(self, points: PowerPoints) -> None:
        self.items: dict[str, bytes] = {}
        self.refusal: str | None = None
        self.commits: list[tuple[str, ...]] = []
        self._points = points

    def get(self, name: str) -> bytes | None:
        return self.items.get(name)

    def commit(self, changes: Mapping[str, bytes | None]) -> None:
        if self.refusal is not None:
            raise KcmRefusal(self.refusal)
        self._points.pass_by(power.BEFORE_STORE, "commit")
        self.commits.append(tuple(changes))
        for name, data in changes.items():
            self.items.pop(name, None)
            if data is not None:
                self.items[name] = data
        self._points.pass_by(power.AFTER_STORE, "commit")


class PaperBoard:
    """A board with the client alone, driven from the test's thread.

    :ivar cpu_s: seconds of CPU that the threads of the board took.
    """

    def __init__(self, **settings: Any) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._workers: list[threading.Thread] = []
        self.failures: list[BaseException] = []
        self.cpu_s = 0.0
        self.dark = self.dark_seen = 0
        self.settings = PaperSettings(**settings)
        self.points = power.make_points()
        self.points.connect(self._lose_power)
        self.store = PaperStore(self.points)
        self.clock = BoardClock()
        self.log = ClientLog(self.clock)
        self.client = CloudClient(self, self.store, self.log, self.settings, self.points, self.clock)
        self._loop = threading.Thread(target=self._run, name="loop", daemon=True)
        self._loop.start()

    # -- what the client sees --

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._queue.put(callback)

    def run_blocking(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            before = time.thread_time()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - a test looks at it
                self.failures.append(error)
            self.cpu_s += time.thread_time() - before
            with self._changed:
                self._changed.notify_all()

        thread = threading.Thread(target=guarded, name="client", daemon=True)
        self._workers.append(thread)
        thread.start()

    def _lose_power(self, _comes_back: bool) -> None:  # noqa: FBT001 - the form of the callback
        self.client.stop()
        self.dark += 1

    def _run(self) -> None:
        while (callback := self._queue.get()) is not None:
            try:
                callback()
            except BaseException as error:  # noqa: BLE001 - a test looks at it
                self.failures.append(error)
            with self._changed:
                self._changed.notify_all()

    # -- what a test sees --

    def provision(self, pki: Pki, port: int, **changed: bytes | None) -> None:
        """Hold developer credentials and update resources."""
        items: dict[str, bytes | None] = {
            "mbed.UseBootstrap": b"\1\0\0\0",
            "mbed.EndpointName": ENDPOINT.encode(),
            "mbed.BootstrapServerURI": f"coaps://127.0.0.1:{port}?aid={ACCOUNT}".encode(),
            "mbed.BootstrapDeviceCert": pki.developer.der,
            "mbed.BootstrapDevicePrivateKey": pki.developer.key_der,
            "mbed.BootstrapServerCACert": pki.bootstrap_authority.der,
            "mbed.Manufacturer": b"dev_manufacturer",
            "mbed.SerialNumber": b"0",
            "mbed.VendorId": VENDOR_ID,
            "mbed.ClassId": CLASS_ID,
        }
        items |= {f"mbed.{name}": value for name, value in changed.items()}
        self.store.items |= {name: value for name, value in items.items() if value is not None}
        for name, value in items.items():
            if value is None:
                self.store.items.pop(name, None)

    def on_loop(self, action: Callable[[], T]) -> T:
        """Call on the loop's thread and return the result."""
        done = threading.Event()
        results: list[T] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                results.append(action())
            except Exception as error:  # noqa: BLE001 - handed to the caller
                errors.append(error)
            done.set()

        self.call_soon(run)
        assert done.wait(DEADLINE), "the loop hangs"
        if errors:
            raise errors[0]
        return results[0]

    def start(self) -> None:
        self.on_loop(self.client.start)

    def stop(self) -> float:
        """Stop the client, and return the seconds that it took until its thread was gone."""
        before = time.monotonic()
        self.on_loop(self.client.stop)
        self.join()
        return time.monotonic() - before

    def join(self) -> None:
        """Wait until no thread of the client is left."""
        for worker in self._workers:
            worker.join(DEADLINE)
            assert not worker.is_alive(), "a thread of the client is left"
        self._workers.clear()

    def wait_dark(self) -> None:
        """Wait until the power has gone, and with it every thread of the client."""
        before = self.dark_seen
        self.wait(lambda: self.dark > before, "the power stays")
        self.dark_seen = self.dark
        self.join()

    def state(self) -> dict[str, Any]:
        return self.on_loop(self.client.state)

    def wait(self, fulfilled: Callable[[], bool], why: str = "never so") -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + DEADLINE
        with self._changed:
            # What is noted on the client's own thread notifies nobody: look anew now and then.
            while not self._changed.wait_for(fulfilled, 0.005):
                assert time.monotonic() < deadline, f"{why}: {self.log.text()}"

    def wait_state(self, state: str) -> dict[str, Any]:
        """Wait until the client is so, and return all that it says."""
        self.wait(lambda: self.client.state()["state"] == state, f"never {state}")
        return self.state()

    def said(self) -> list[str]:
        """Return the texts of the log's lines."""
        return [line.split("]: ", 1)[1] for line in self.on_loop(lambda: list(self.log.lines))]

    def errors(self) -> list[tuple[str, str, str]]:
        """Return name, code and details of each error in the log."""
        said = self.said()
        starts = [at for at, line in enumerate(said) if line.startswith("Error occurred : ")]
        return [
            (
                said[at].removeprefix("Error occurred : "),
                said[at + 1].removeprefix("Error code : "),
                said[at + 2].removeprefix("Error details : "),
            )
            for at in starts
        ]

    def close(self) -> None:
        self.stop()
        self.call_soon(lambda: None)
        self._queue.put(None)
        self._loop.join(DEADLINE)
        assert self.failures == []
