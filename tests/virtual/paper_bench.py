"""A bench for one virtual board: a loop thread, timers and endpoints, as the bench daemon offers them.

The test's own thread plays the cable, the host and the supply. Each vendor adds what its boards understand.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from harness.virtual.async_thread import AsyncThread
from harness.virtual.contract import VirtualBoardSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from concurrent.futures import Future

T = TypeVar("T")
DEADLINE = 10.0


class _Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class PaperHost:
    """Fulfils :class:`harness.virtual.contract.BoardHost` for one board.

    :ivar supply_cuts: how often the board has cut its own supply.
    :ivar failures: what its blocking work or its callbacks raised.
    """

    def __init__(self, roles: Sequence[str] = ("console",)) -> None:
        """Start the loop.

        :param roles: of the board's endpoints.
        """
        self._condition = threading.Condition()
        self._queue: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._ended = False
        self.power_off: Callable[[], None] | None = None
        self.power_on: Callable[[], None] | None = None
        self.supply_cuts = 0
        self.failures: list[BaseException] = []
        self._sent = {role: bytearray() for role in roles}
        self._pieces: dict[str, list[bytes]] = {role: [] for role in roles}
        self._workers: list[threading.Thread] = []
        self._async_thread = AsyncThread("paper-asyncio")
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()

    # -- what a board sees --

    def send(self, role: str, data: bytes) -> None:
        with self._condition:
            self._sent[role] += data
            self._pieces[role].append(data)
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
        thread = threading.Thread(target=self._guarded, args=(work,), daemon=True)
        self._workers.append(thread)
        thread.start()

    def run_async(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return self._async_thread.start(work)

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

    def wait(self, fulfilled: Callable[[bytes], bool], start: int = 0, role: str = "console") -> bytes:
        """Wait until what an endpoint sent from a position on is so, and return it."""
        sent = self._sent[role]
        with self._condition:
            found = self._condition.wait_for(lambda: fulfilled(bytes(sent[start:])), DEADLINE)
            assert found, f"{role} never says so: {bytes(sent[start:])!r}"
            return bytes(sent[start:])

    def wait_said(self, text: bytes, start: int = 0, role: str = "console") -> bytes:
        """Wait until an endpoint sent a text, and return what it sent from a position on."""
        return self.wait(lambda sent: text in sent, start, role)

    def wait_dark(self, cuts: int = 1) -> None:
        """Wait until the board has cut its own supply so often."""
        with self._condition:
            assert self._condition.wait_for(lambda: self.supply_cuts >= cuts, DEADLINE), "the power stays"

    def sent(self, role: str = "console") -> bytes:
        """Return all that an endpoint sent."""
        with self._condition:
            return bytes(self._sent[role])

    def pieces(self, role: str = "console") -> list[bytes]:
        """Return what an endpoint sent, each time that it did."""
        with self._condition:
            return list(self._pieces[role])

    def close(self) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        self._thread.join(DEADLINE)
        self._async_thread.close()
        for worker in self._workers:
            worker.join(DEADLINE)
            assert not worker.is_alive(), "a thread of the board outlives it"

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a test looks at it
            self.failures.append(error)

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
                self._guarded(callback)


class PaperBoard:
    """A virtual board on a paper bench, driven from the test's thread.

    :ivar host: the bench.
    :ivar board: the board itself, to be touched on the loop's thread (:meth:`PaperHost.on_loop`).
    """

    def __init__(
        self,
        make: Callable[[Any, VirtualBoardSpec], Any],
        kind: str,
        number: int,
        options: Mapping[str, Any],
        roles: Sequence[str] = ("console",),
    ) -> None:
        """Make a board that is off.

        :param make: the vendor's factory of boards.
        """
        self.host = PaperHost(roles)
        try:
            spec = VirtualBoardSpec(id="board-1", kind=kind, number=number, options=options)
            self.board = make(self.host, spec)
            self.host.power_off, self.host.power_on = self.board.power_off, self.board.power_on
        except BaseException:
            self.host.close()
            raise

    def power_on(self) -> None:
        self.host.on_loop(self.board.power_on)

    def power_off(self) -> None:
        self.host.on_loop(self.board.power_off)

    def call(self, method: str, **params: Any) -> Any:
        """Make a control call."""
        return self.host.on_loop(lambda: self.board.call(method, params))

    def type(self, data: bytes) -> int:
        """Type bytes into the console, and return how much it had sent before."""
        start = len(self.host.sent())
        self.host.on_loop(lambda: self.board.receive("console", data))
        return start

    def close(self) -> None:
        """End the board; nothing that it did may have failed."""
        self.host.on_loop(self.board.close)
        self.host.close()
        assert self.host.failures == []
