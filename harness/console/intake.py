"""The receiving half of a console: all that arrives is captured, watched and kept to be searched.

Whoever waits reads the port by itself, under the lock; while nobody waits, the drain thread does.
"""

from __future__ import annotations

import select
import threading
import time
from typing import TYPE_CHECKING

from harness.console.drain import ARMED, DISARMED, DRAIN
from harness.errors import BoardLost, ForbiddenOutput, RigFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from harness.console.capture import Capture
    from harness.console.matching import Matcher
    from harness.console.ports import Port

#: Bytes that can be searched; what is older and was not consumed is in the capture only.
SEARCH_WINDOW = 1024 * 1024
#: Chunks read at once, more than a tty holds: a board that never stops talking keeps nobody waiting.
_CHUNKS_AT_ONCE = 64
_FORBIDDEN_CONTEXT = 200


class Armed:
    """Forbidden patterns while they are armed.

    :ivar found: what was seen of them, as text; ``None`` while nothing was.
    """

    def __init__(self, matchers: list[Matcher]) -> None:
        """Watch for patterns."""
        self._matchers = matchers
        self._reach = max((matcher.reach for matcher in matchers), default=0)
        self._recent = bytearray()
        self.found: str | None = None

    def feed(self, data: bytes) -> None:
        """Look at a chunk, also for what began in earlier ones."""
        seen = len(self._recent)
        self._recent += data
        if self.found is None:
            for matcher in self._matchers:
                hit = matcher.search(self._recent, 0, seen)
                if hit is not None:
                    around = bytes(self._recent[max(0, hit[0] - _FORBIDDEN_CONTEXT) : hit[1]])
                    self.found = f"{matcher} after {around!r}"
                    break
        del self._recent[: max(0, len(self._recent) - self._reach)]


class Intake:
    """Reads one port.

    :ivar window: the bytes that can be searched.
    :ivar window_start: offset of the first of them in the capture.
    :ivar mark: offset behind what was consumed.
    """

    def __init__(self, port: Port, capture: Capture, name: str) -> None:
        """Begin to read.

        :param port: an open port; the intake does not close it.
        :param capture: where everything goes.
        :param name: name of the console, for messages.
        """
        self.window = bytearray()
        self.window_start = self.mark = capture.size
        self.armed: list[Armed] = []
        self.observers: list[Callable[[bytes], None]] = []
        self._name = name
        self._port = port
        self._capture = capture
        self._lock = threading.RLock()
        self._poll = select.poll()
        self._poll.register(port.fd, select.POLLIN)
        self._lost: BoardLost | None = None
        self._closed = False
        self._fd = port.fd
        self._modify = DRAIN.add(port.fd, self._drain)

    def __enter__(self) -> None:
        """Be the one who reads, until the block ends.

        :raises RigFault: the console is closed.
        """
        self._lock.acquire()
        if self._closed:
            self._lock.release()
            raise RigFault(f"{self._name}: the console is closed")
        if self._lost is None:
            self._modify(self._fd, DISARMED)

    def __exit__(self, *_error: object) -> None:
        """Let the drain thread read again."""
        if self._lost is None and not self._closed:
            self._modify(self._fd, ARMED)
        self._lock.release()

    def pump(self, deadline: float) -> bool:
        """Read what arrives before a deadline (``time.monotonic``); inside ``with intake:`` only.

        :return: whether something arrived.
        :raises BoardLost: the port is gone, and all that came before was handed out.
        :raises ForbiddenOutput: an armed pattern was seen.
        """
        self.check_forbidden()
        if self._lost is not None:
            raise BoardLost(str(self._lost)) from self._lost
        left = deadline - time.monotonic()
        if not self._poll.poll(max(0, int(left * 1000 + 0.999)) if left > 0 else 0):
            return False
        return self._read()

    def pump_available(self) -> None:
        """Read what is there already; a port that is gone is found out by whoever waits next."""
        self._read_available()
        self.check_forbidden()

    def check_forbidden(self) -> None:
        """Raise if an armed pattern was seen.

        :raises ForbiddenOutput: once for each arming.
        """
        for armed in self.armed:
            if armed.found is not None:
                found, armed.found = armed.found, None
                raise ForbiddenOutput(f"{self._name}: the board said what it must not: {found}")

    def consume(self, end: int) -> None:
        """Take everything before an offset for read."""
        self.mark = max(self.mark, end)

    def close(self) -> None:
        """Stop reading; idempotent. The port is the console's to close."""
        with self._lock:
            if not self._closed:
                self._closed = True
                DRAIN.remove(self._fd)

    @property
    def begin(self) -> int:
        """Index in the window of the first byte that was not consumed."""
        return max(0, self.mark - self.window_start)

    def locked(self) -> AbstractContextManager[object]:
        """Return the lock, for whoever looks at the capture."""
        return self._lock

    def _read_available(self) -> None:
        for _chunk in range(_CHUNKS_AT_ONCE):
            if self._lost is not None or not self._poll.poll(0) or not self._read():
                return

    def _read(self) -> bool:
        try:
            data = self._port.read()
        except BlockingIOError:
            return False
        except BoardLost as error:
            self._lost = error
            DRAIN.remove(self._fd)
            return False
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        self._capture.append(data)
        self.window += data
        if len(self.window) > 2 * SEARCH_WINDOW:
            surplus = len(self.window) - SEARCH_WINDOW
            del self.window[:surplus]
            self.window_start += surplus
            self.mark = max(self.mark, self.window_start)
        for armed in self.armed:
            armed.feed(data)
        for observer in self.observers:
            observer(data)

    def _drain(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # whoever waits reads, and arms the descriptor again
        try:
            if self._closed:
                return
            self._read_available()
            if self._lost is None:
                self._modify(self._fd, ARMED)
        finally:
            self._lock.release()
