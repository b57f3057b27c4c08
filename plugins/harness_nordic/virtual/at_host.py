"""The AT host: from bytes of a serial line to commands and back (nrfcloud fact sheet, section 6.1)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The choices of the build option for what ends a command.
TERMINATORS = {"CR": b"\r", "LF": b"\n", "CRLF": b"\r\n", "NULL": b"\0"}
#: Room for one command, as wide as the widest certificate that the service sends, and more. [design]
CAPACITY = 8192

_BACKSPACE = frozenset(b"\x08\x7f")
_QUOTE = ord('"')
_WHITE = b" \t\r\n\0"
_TOO_LONG = "ERROR\r\n"


class AtHost:
    """Edits a line, runs it when its terminator comes, and frames the reply. It does not echo."""

    def __init__(
        self,
        execute: Callable[[str], str | None],
        send: Callable[[bytes], None],
        *,
        terminator: str = "CR",
        capacity: int = CAPACITY,
    ) -> None:
        """Connect a line to a modem.

        :param execute: runs a command and returns its complete reply, or ``None`` for silence.
        :param send: transmits.
        :param terminator: a name of :data:`TERMINATORS`.
        :param capacity: bytes of one command; a longer one is thrown away and answered ``ERROR``.
        """
        self._execute = execute
        self._send = send
        self._terminator = TERMINATORS[terminator]
        self._lead = b"\n" if terminator == "CR" else b""
        self._capacity = capacity
        self._line = bytearray()
        self._quoted = False
        self._thrown_away = 0
        self._waiting: deque[int] = deque()
        self._held = False

    def receive(self, data: bytes) -> None:
        """Take bytes, in pieces of any size."""
        self._waiting.extend(data[: max(0, self._capacity - len(self._waiting))] if self._held else data)
        self._work()

    def hold(self) -> None:
        """Look at nothing before :meth:`release`: a reply is not out yet. A line's worth of input waits."""
        self._held = True

    def release(self) -> None:
        """Go on with what came meanwhile."""
        self._held = False
        self._work()

    def clear(self) -> None:
        """Forget all that was typed."""
        self._held = False
        self._waiting.clear()
        self._forget_line()

    def _work(self) -> None:
        while self._waiting and not self._held:
            self._take(self._waiting.popleft())

    def _forget_line(self) -> None:
        self._line.clear()
        self._quoted = False
        self._thrown_away = 0

    def _take(self, byte: int) -> None:
        if byte in _BACKSPACE:
            if self._line and self._line.pop() == _QUOTE:
                self._quoted = not self._quoted
            return
        self._line.append(byte)
        if byte == _QUOTE:
            self._quoted = not self._quoted
        elif byte == self._terminator[-1] and self._line.endswith(self._terminator) and self._may_end():
            del self._line[-len(self._terminator) :]
            self._end()
        elif len(self._line) > self._capacity:
            self._thrown_away += len(self._line)
            self._line.clear()

    def _may_end(self) -> bool:
        # A quote that never closes would swallow every later command: after a second buffer full it is lost.
        return not self._quoted or self._thrown_away > 2 * self._capacity

    def _end(self) -> None:
        line = bytes(self._line).strip(_WHITE)
        too_long = self._thrown_away > 0
        self._forget_line()
        if too_long:
            self._reply(_TOO_LONG)
        elif line:
            reply = self._execute(line.decode("utf-8", "surrogateescape"))
            if reply is not None:
                self._reply(reply)

    def _reply(self, reply: str) -> None:
        self._send(self._lead + reply.encode("utf-8", "surrogateescape"))
