"""The agent on a serial console: lines in, lines out (the dialect: docs/reference/virtual-guardian.md).

A line ends with CR, LF is ignored, nothing is echoed. Each line that is not blank is answered by data lines
and one final line, in the order in which they came; while a command takes its time the next ones wait, but
``cancel`` calls it off.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from harness_guardian.virtual.commands import Caller
from harness_guardian.virtual.errors import AgentRefusal, bad_parameter, out_of_memory
from harness_guardian.virtual.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_guardian.virtual.commands import Commands

#: The longest line that is taken.
LONGEST_LINE = 1024

_CR, _LF = b"\r\n"
_MOST_WAITING = 64
_CANCEL = b"cancel"
_WORD = re.compile(r'"((?:[^"]|"")*)"(?= |$)|([^" ]+)(?= |$)')


def split_words(line: str) -> list[str]:
    """Part a line into words: by blanks, but not where a word stands between double quotes.

    Between them two quotes stand for one.

    :raises AgentRefusal: a quote is open, or stands inside a word.
    """
    words: list[str] = []
    position = 0
    while position < len(line):
        if line[position] == " ":
            position += 1
            continue
        match = _WORD.match(line, position)
        if match is None:
            raise bad_parameter('a " is open, or stands inside a word')
        words.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        position = match.end()
    return words


class AgentConsole:
    """Edits nothing and echoes nothing: collects lines and answers them one after the other."""

    def __init__(self, commands: Commands, send: Callable[[bytes], None]) -> None:
        """Connect a line to the agent.

        :param send: transmits.
        """
        self._commands = commands
        self._send = send
        self._caller = Caller(announce=lambda reply: self.say(reply.announcement))
        self._line = bytearray()
        self._too_long = False
        self._waiting: deque[bytes | Reply] = deque()
        self._busy = False
        self._period = 0

    def say(self, line: str) -> None:
        """Send an unsolicited line."""
        self._send(line.encode() + b"\r\n")

    def clear(self) -> None:
        """Forget all that was typed, and answer nothing that is under way: the power went."""
        self._period += 1
        self._line.clear()
        self._too_long = False
        self._waiting.clear()
        self._busy = False

    def receive(self, data: bytes) -> None:
        """Take bytes, in pieces of any size."""
        period = self._period
        for byte in data:
            if byte == _CR:
                self._end()
                if period != self._period:
                    return  # the power went: what comes behind it goes nowhere
            elif byte != _LF:
                self._take(byte)

    def _take(self, byte: int) -> None:
        if len(self._line) < LONGEST_LINE:
            self._line.append(byte)
        else:
            self._too_long = True

    def _end(self) -> None:
        line, too_long = bytes(self._line).strip(b" "), self._too_long
        self._line.clear()
        self._too_long = False
        if not line and not too_long:
            return
        if too_long:
            refusal = bad_parameter(f"a line has at most {LONGEST_LINE} bytes")
            self._waiting.append(Reply.refusing(refusal))
        elif self._busy and line == _CANCEL:
            self._commands.cancel()
            self._waiting.append(Reply())
        elif len(self._waiting) >= _MOST_WAITING:
            self._waiting.append(Reply.refusing(out_of_memory("too many commands wait")))
        else:
            self._waiting.append(line)
        self._work()

    def _work(self) -> None:
        while self._waiting and not self._busy:
            next_one = self._waiting.popleft()
            if isinstance(next_one, Reply):
                self._write(next_one)
            else:
                self._execute(next_one)

    def _execute(self, line: bytes) -> None:
        try:
            words = split_words(line.decode())
        except UnicodeDecodeError:
            self._write(Reply.refusing(bad_parameter("the line is no UTF-8")))
            return
        except AgentRefusal as refusal:
            self._write(Reply.refusing(refusal))
            return
        period, self._busy = self._period, True

        def answer(reply: Reply) -> None:
            if period == self._period:
                self._write(reply)
                self._busy = False
                if not executing:
                    self._work()

        executing = True
        self._commands.execute(words, self._caller, answer)
        executing = False

    def _write(self, reply: Reply) -> None:
        lines = [*reply.lines, reply.final_line]
        self._send("".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace"))
