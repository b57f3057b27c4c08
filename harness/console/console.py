"""The console: an endpoint opened, captured and readable."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from harness.console.capture import Capture
from harness.console.dialect import Reply
from harness.console.intake import Armed, Intake
from harness.console.lines import Lines
from harness.console.matching import Matcher, line_test
from harness.console.outlet import Outlet, TornWrite
from harness.console.ports import open_port
from harness.errors import BoardLost, ConsoleTimeout

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from harness.console.dialect import Dialect
    from harness.console.matching import Match, Pattern
    from harness.console.ports import Port
    from harness.console.seeking import Seeker
    from harness.inventory.board import Endpoint

#: How long a command waits for the end of a reply that an earlier, timed-out command is still owed.
LATE_REPLY_SECONDS = 0.5
_TAIL = 400


class Console:
    """One console. Its methods may be called from any thread, one wait at a time.

    With a seeker it outlives its port: when that goes away, waits go on when the same board has come back.

    :ivar name: what it is called in messages and files.
    :ivar url: the port on which it is, or was last.
    """

    def __init__(
        self, port: Port, capture: Capture, name: str, *, url: str = "", seeker: Seeker | None = None
    ) -> None:
        """Take an open port and a capture; both are closed with the console. Use :meth:`open`."""
        self.name = name
        self.url = url
        self._outlet = Outlet(port, name)
        self._capture = capture
        self._returns = seeker is not None
        seek = None if seeker is None else lambda patient: seeker.seek(self, patient=patient)
        self._intake = Intake(port, capture, name, seek)
        self._lines = Lines(self._intake)
        self._owed: Dialect | None = None
        self._closed = False

    @classmethod
    def open(
        cls,
        endpoint: Endpoint,
        *,
        name: str,
        directory: Path | None,
        seeker: Seeker | None = None,
        port: Port | None = None,
        said: bytes = b"",
    ) -> Console:
        """Open an endpoint; from now on everything it says is captured, whether or not anybody reads.

        :param endpoint: a device path or any pyserial URL, with its line settings.
        :param name: what the console is called.
        :param directory: where ``NAME.raw`` and ``NAME.index`` go; ``None`` keeps them without a name.
        :param seeker: looks for the board when the port goes away; ``None``: the console is lost then.
        :param port: its port, if it is open already; the console's from now on.
        :param said: what was read from that port; it is captured, and nobody waits for it any more.
        :raises BoardLost: there is no such port now.
        :raises RigFault: it is in use or may not be opened.
        :raises UsageError: the URL is of no known kind.
        """
        port = port or open_port(endpoint, name)
        try:
            capture = Capture(directory, name)
            if said:
                capture.append(said)
            return cls(port, capture, name, url=endpoint.url, seeker=seeker)
        except BaseException:
            port.close()
            raise

    def close(self) -> None:
        """Stop capturing and close the port; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._intake.close()
        self._outlet.port.close()
        self._capture.close()

    def __enter__(self) -> Self:
        """Return the console, closed when the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    # -- going away and coming back -----------------------------------------------------------------------

    @property
    def lost(self) -> BoardLost | None:
        """Why its port is gone; ``None`` while it is there."""
        return self._intake.lost

    def is_there(self) -> bool:
        """Tell whether its port is there at this moment, though nobody has noticed yet that it went."""
        return not self._closed and self._intake.lost is None and self._outlet.is_there()

    def close_port(self) -> None:
        """Close the port that went away, so that its name is free. For a seeker, before it looks."""
        lost = self._intake.lost
        if lost is not None:
            self._outlet.release(lost)

    def resume(self, port: Port, *, url: str, said: bytes = b"") -> None:
        """Go on with another port of the same board, in the same capture. For a seeker.

        :param port: an open port; it is the console's from now on, and closed when the console is.
        :param url: what it was opened by.
        :param said: what was already read from it.
        """
        with self._intake.locked(), self._outlet.lock:
            if self._closed:
                port.close()
                return
            self.url = url
            self._owed = None
            self._outlet.exchange(port)
            self._intake.resume(port, said)

    def give_up(self, error: BoardLost) -> None:
        """Tell whoever waits that the board did not come back; the next wait looks again. For a seeker."""
        self._intake.give_up(error)

    def hand_over(self) -> tuple[Port, bytes]:
        """End, but leave the port open; return it and all that it said."""
        self._closed = True
        self._intake.close()
        said = self.slice(0)
        self._capture.close()
        return self._outlet.port, said

    # -- sending ------------------------------------------------------------------------------------------

    def write(self, data: bytes, *, chunk: int | None = None, delay: float = 0.0) -> None:
        """Send bytes. While the port is gone this waits for the board to come back.

        :param chunk: bytes in a piece, for boards that cannot take more at once.
        :param delay: seconds between pieces; what the board says meanwhile is read.
        :raises BoardLost: the port went away and did not come back in time, or a part was out already.
        :raises RigFault: flow control held the line for too long.
        """
        size = chunk or max(1, len(data))
        while not self._write_whole(data[:size]):
            with self._intake:
                self._intake.wait_for_return(math.inf)  # whoever looks has a deadline
        for start in range(size, len(data), size):
            if delay:
                self._read_for(delay)
            self._outlet.write(data[start : start + size])

    def _write_whole(self, data: bytes) -> bool:
        """Write what makes no sense in parts; ``False`` when nothing of it was written for want of a port."""
        port = self._outlet.port
        try:
            self._outlet.write(data)
        except TornWrite:
            raise
        except BoardLost as error:
            if not self._returns:
                raise
            self._intake.note_lost(port, error)
            return False
        return True

    def flush(self) -> None:
        """Wait until everything written was transmitted.

        :raises BoardLost: the port went away.
        """
        self._outlet.flush()

    def _read_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._intake:
            while self._intake.lost is None and time.monotonic() < deadline:
                self._intake.pump(deadline)

    # -- waiting ------------------------------------------------------------------------------------------

    def expect(self, *patterns: Pattern, timeout: float, reason: str = "") -> Match:
        """Wait until the board says one of several things; only bytes after the last match are searched.

        :param patterns: bytes, text (UTF-8) or regular expressions; the match that begins first counts.
            Regular expressions reach back :data:`~harness.console.matching.REGEX_REACH` bytes.
        :param timeout: seconds to wait.
        :param reason: what for, in the words of a person; part of the message when it does not come.
        :raises ConsoleTimeout: none came in time.
        :raises BoardLost: the port went away before, and the board did not come back in time.
        :raises ForbiddenOutput: an armed pattern was seen.
        """
        matchers = [Matcher(pattern) for pattern in patterns]
        start = time.monotonic()
        intake = self._intake
        with intake:
            searched = intake.mark
            while True:
                found = intake.first_match(matchers, searched)
                if found is not None:
                    return found
                searched = self._capture.size
                if not intake.pump(start + timeout) and time.monotonic() >= start + timeout:
                    wanted = " or ".join(str(matcher) for matcher in matchers)
                    raise self._timed_out(f"waited {timeout:g} s for {wanted}", reason)

    def command(
        self, line: str, dialect: Dialect, *, timeout: float, reason: str = "", shown: str | None = None
    ) -> Reply:
        """Send a command and return the reply.

        Complete lines that came before the command are unsolicited. After a command that timed out, the end
        of its reply is waited for a moment first (:data:`LATE_REPLY_SECONDS`), so that it is not taken for
        the end of this one; a reply that comes later still is not told apart.
        A port that is gone is waited for before the command is sent, no longer than ``timeout``.

        :param dialect: how commands are sent and replies end.
        :param shown: the command as messages may show it, when it carries what must not be shown.
        :raises ConsoleTimeout: no end of the reply in time.
        :raises BoardLost: the port went away, and the reply with it, if there was one.
        :raises ForbiddenOutput: an armed pattern was seen.
        """
        intake, next_line = self._intake, self._lines.next
        with intake:
            start = self._send_command(dialect.encode(line), time.monotonic() + timeout)
            lines: list[str] = []
            while True:
                while (text := next_line()) is not None:
                    if not text:
                        continue
                    if dialect.is_final(text):
                        return Reply(shown or line, tuple(lines), text, time.monotonic() - start)
                    if dialect.is_unsolicited(text):
                        self._lines.hear(text)
                    elif lines or not dialect.is_echo(text, line):
                        lines.append(text)
                if intake.pump(start + timeout):
                    continue
                if intake.lost is not None:
                    lost = f"{intake.lost}; the reply to {shown or line!r} was lost with it"
                    raise BoardLost(lost) from intake.lost
                if time.monotonic() >= start + timeout:
                    self._owed = dialect
                    raise self._timed_out(f"waited {timeout:g} s for the reply to {shown or line!r}", reason)

    def _send_command(self, data: bytes, deadline: float) -> float:
        """Write a command when all that came before it was heard; return when that was."""
        intake = self._intake
        while True:
            intake.pump_available()
            if intake.lost is not None:
                intake.wait_for_return(deadline)
            self._settle_debt()
            self._lines.hear_pending()
            start = time.monotonic()
            if self._write_whole(data):
                return start

    def _settle_debt(self) -> None:
        dialect, self._owed = self._owed, None
        if dialect is None:
            return
        deadline = time.monotonic() + LATE_REPLY_SECONDS
        while self._intake.lost is None:
            while (text := self._lines.next()) is not None:
                if dialect.is_final(text):
                    return
                self._lines.hear(text)
            if not self._intake.pump(deadline) and time.monotonic() >= deadline:
                return

    def wait_unsolicited(
        self, wanted: str | re.Pattern[str] | Callable[[str], bool], *, timeout: float, reason: str = ""
    ) -> str:
        """Wait for an unsolicited line and return it; each line is handed out once.

        :param wanted: how the line begins, a regular expression that it matches, or a predicate.
        :raises ConsoleTimeout: none came in time.
        :raises BoardLost: the port went away.
        :raises ForbiddenOutput: an armed pattern was seen.
        """
        fits = line_test(wanted)
        start = time.monotonic()
        with self._intake:
            self._intake.pump_available()
            while True:
                self._lines.hear_pending()
                if (text := self._lines.take(fits)) is not None:
                    return text
                if not self._intake.pump(start + timeout) and time.monotonic() >= start + timeout:
                    raise self._timed_out(f"waited {timeout:g} s for an unsolicited line {wanted!r}", reason)

    def forget_unsolicited(self, wanted: str | re.Pattern[str] | Callable[[str], bool] = "") -> None:
        """Hand out no more what was said so far: from now on such a line is a new one.

        No complete line that came so far is searched by :meth:`expect` any more, either.

        :param wanted: as :meth:`wait_unsolicited` takes it; by default every line.
        """
        fits = line_test(wanted)
        with self._intake:
            self._intake.pump_available()
            self._lines.hear_pending()
            while self._lines.take(fits) is not None:
                pass

    @property
    def unsolicited(self) -> list[tuple[float, str]]:
        """The last unsolicited lines with the time at which each was noticed (seconds since the epoch)."""
        with self._intake:
            self._intake.pump_available()
            self._lines.hear_pending()
            return self._lines.heard

    def show_lines(self, shown: Callable[[str], str] | None) -> None:
        """Make of each line what it says from now on; the capture and what is searched stay as they came.

        :param shown: for example :func:`harness.console.terminal_text.shown_text`, where a shell paints its
            lines; ``None``: lines are as they come.
        """
        with self._intake.locked():
            self._lines.shown = shown

    def _timed_out(self, what: str, reason: str) -> ConsoleTimeout:
        why = f" ({reason})" if reason else ""
        cut = b"..." if self._capture.size > _TAIL else b""  # so that redaction knows that something was cut
        return ConsoleTimeout(f"{self.name}: {what}{why}; the console ends with {cut + self.tail(_TAIL)!r}")

    # -- forbidding ---------------------------------------------------------------------------------------

    @contextmanager
    def forbid(self, *patterns: Pattern) -> Iterator[None]:
        """Arm patterns that the board must not say until the block ends.

        :raises ForbiddenOutput: one was seen; from the next wait, at the latest when the block ends.
        """
        armed = Armed([Matcher(pattern) for pattern in patterns])
        with self._intake:
            self._intake.pump_available()
            self._intake.armed.append(armed)
        try:
            yield
            with self._intake:
                self._intake.pump_available()
        finally:
            self._intake.armed.remove(armed)

    # -- looking back -------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Bytes captured so far."""
        with self._intake:
            self._intake.pump_available()
            return self._capture.size

    def slice(self, start: int, end: int | None = None) -> bytes:
        """Return what was captured from one position to another, or to now."""
        with self._intake.locked():
            return self._capture.slice(start, self._capture.size if end is None else end)

    def tail(self, count: int) -> bytes:
        """Return the last bytes captured."""
        with self._intake.locked():
            return self._capture.slice(max(0, self._capture.size - count), self._capture.size)

    def lines_with_times(self, start: int, end: int | None = None) -> list[tuple[float, bytes]]:
        """Return each line of a slice with the time at which it began (seconds since the epoch)."""
        with self._intake.locked():
            return self._capture.lines_with_times(start, self._capture.size if end is None else end)

    def add_observer(self, observer: Callable[[bytes], None]) -> None:
        """Call a function with every chunk from now on, on whichever thread reads it."""
        with self._intake.locked():
            self._intake.observers.append(observer)
