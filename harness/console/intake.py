"""The receiving half of a console: all that arrives is captured, watched and kept to be searched.

Whoever waits reads the port by itself, under the lock; while nobody waits, the drain thread does.
A port that went away is looked for by somebody else, who brings another port of the same board; whoever waits
goes on with it, and so does the capture.
"""

from __future__ import annotations

import select
import threading
import time
from typing import TYPE_CHECKING

from harness.console.drain import ARMED, DISARMED, DRAIN
from harness.console.matching import Match
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
    :ivar seam: offset at which the board last came back; a line that was begun before it never ended.
    :ivar lost: why the port is gone; ``None`` while it is there.
    """

    def __init__(
        self, port: Port, capture: Capture, name: str, seek: Callable[[bool], None] | None = None
    ) -> None:
        """Begin to read.

        :param port: an open port; the intake does not close it.
        :param capture: where everything goes.
        :param name: name of the console, for messages.
        :param seek: called when the port went away: has somebody look for another port of the same board,
            patiently or only once; it ends with :meth:`resume` or :meth:`give_up`. ``None``: nobody looks.
        """
        self.window = bytearray()
        self.window_start = self.mark = capture.size
        self.armed: list[Armed] = []
        self.observers: list[Callable[[bytes], None]] = []
        self._name = name
        self._capture = capture
        self._seek = seek
        self._sought = False
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self.lost: BoardLost | None = None
        self.seam = 0
        self._closed = False
        self._read_from(port)

    def _read_from(self, port: Port) -> None:
        self._port = port
        self._fd = port.fd
        self._poll = select.poll()
        self._poll.register(port.fd, select.POLLIN)
        self._modify = DRAIN.add(port.fd, self._drain)

    def __enter__(self) -> None:
        """Be the one who reads, until the block ends.

        :raises RigFault: the console is closed.
        """
        self._lock.acquire()
        if self._closed:
            self._lock.release()
            raise RigFault(f"{self._name}: the console is closed")
        if self.lost is None:
            self._modify(self._fd, DISARMED)

    def __exit__(self, *_error: object) -> None:
        """Let the drain thread read again."""
        if self.lost is None and not self._closed:
            self._modify(self._fd, ARMED)
        self._lock.release()

    def pump(self, deadline: float) -> bool:
        """Read what arrives before a deadline (``time.monotonic``); inside ``with intake:`` only.

        While the port is gone this waits for the board to come back.

        :return: whether something arrived.
        :raises BoardLost: the port is gone, it did not come back in time, and all that came before was handed
            out.
        :raises ForbiddenOutput: an armed pattern was seen.
        """
        self.check_forbidden()
        if self.lost is not None:
            self.wait_for_return(deadline)
            return False
        left = deadline - time.monotonic()
        if not self._poll.poll(max(0, int(left * 1000 + 0.999)) if left > 0 else 0):
            return False
        return self._read()

    def wait_for_return(self, deadline: float) -> None:
        """Wait until there is a port again; inside ``with intake:`` only.

        :param deadline: of whoever waits (``time.monotonic``); whoever looks has one of its own.
        :raises BoardLost: there is none in time, or nobody looks.
        :raises RigFault: the console was closed meanwhile.
        """
        if self.lost is not None and not self._sought and self._seek is not None:
            self._sought = True
            self._seek(False)  # patience is over, but it may have come back since
        while self.lost is not None and self._sought and not self._closed:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BoardLost(f"{self.lost}; it had not come back when the wait was over") from self.lost
            self._changed.wait(min(left, threading.TIMEOUT_MAX))
        if self._closed:
            raise RigFault(f"{self._name}: the console is closed")
        if self.lost is not None:
            raise BoardLost(str(self.lost)) from self.lost

    def note_lost(self, port: Port, error: BoardLost) -> None:
        """Hear from whoever wrote to a port that it is gone; what it said before is read first."""
        with self._lock:
            if self._closed or self._port is not port:
                return
            self._read_available()
            if self.lost is None:
                self._lose(error)

    def resume(self, port: Port, said: bytes) -> None:
        """Go on with another port of the same board, in the same capture.

        :param port: an open port.
        :param said: what was already read from it.
        """
        with self._lock:
            self.seam = self._capture.size
            self._read_from(port)
            self.lost = None
            self._sought = False
            if said:
                self._take(said)
            self._changed.notify_all()

    def give_up(self, error: BoardLost) -> None:
        """Let whoever waits hear that the board did not come back; the next wait has it looked for again."""
        with self._lock:
            if self.lost is not None:
                self.lost = error
            self._sought = False
            self._changed.notify_all()

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

    def first_match(self, matchers: list[Matcher], searched: int) -> Match | None:
        """Return the match that begins first, and take it and all before it for read.

        :param matchers: what is looked for.
        :param searched: offset up to which none of them was found.
        """
        seen = searched - self.window_start
        best: tuple[int, int, int, tuple[bytes | None, ...]] | None = None
        for index, matcher in enumerate(matchers):
            hit = matcher.search(self.window, self.begin, seen)
            if hit is not None and (best is None or hit[0] < best[1]):
                best = (index, *hit)
        if best is None:
            return None
        index, begin, end, groups = best
        match = Match(
            index=index,
            pattern=matchers[index].pattern,
            text=bytes(self.window[begin:end]),
            before=bytes(self.window[self.begin : begin]),
            groups=groups,
        )
        self.consume(self.window_start + end)
        return match

    def consume(self, end: int) -> None:
        """Take everything before an offset for read."""
        self.mark = max(self.mark, end)

    def close(self) -> None:
        """Stop reading; idempotent. The port is the console's to close."""
        with self._lock:
            if not self._closed:
                self._closed = True
                if self.lost is None:  # else the number may be that of somebody else's port by now
                    DRAIN.remove(self._fd)
                self._changed.notify_all()

    @property
    def begin(self) -> int:
        """Index in the window of the first byte that was not consumed."""
        return max(0, self.mark - self.window_start)

    def locked(self) -> AbstractContextManager[object]:
        """Return the lock, for whoever looks at the capture."""
        return self._lock

    def _read_available(self) -> None:
        for _chunk in range(_CHUNKS_AT_ONCE):
            if self.lost is not None or not self._poll.poll(0) or not self._read():
                return

    def _read(self) -> bool:
        try:
            data = self._port.read()
        except BlockingIOError:
            return False
        except BoardLost as error:
            self._lose(error)
            return False
        self._take(data)
        return True

    def _lose(self, error: BoardLost) -> None:
        self.lost = error
        DRAIN.remove(self._fd)
        if self._seek is not None:
            self._sought = True
            self._seek(True)

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
            if self.lost is None:
                self._modify(self._fd, ARMED)
        finally:
            self._lock.release()
