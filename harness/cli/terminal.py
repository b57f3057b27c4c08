"""A person, or a pipe, in conversation with a port."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from harness.errors import RigFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.console.ports import Port

END_KEY = b"\x1d"  # Ctrl-]
_CHUNK = 65536
_WRITE_SECONDS = 10.0
_LINE_END = re.compile(rb"\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a conversation is held.

    :ivar terminator: what is sent for the end of a line.
    :ivar echo: what is sent is shown too, for boards that do not echo.
    :ivar timestamps: each line that the board says begins with the time.
    :ivar linger: seconds for which the board has to be silent after the end of a pipe.
    """

    terminator: bytes
    echo: bool = False
    timestamps: bool = False
    linger: float = 1.0


@contextmanager
def keys_as_typed(fd: int) -> Iterator[bool]:
    """Let a terminal hand over each key at once, Ctrl-C too, until the block ends.

    What is shown is processed as ever, so that lines which end in a line feed alone look right.

    :param fd: descriptor of the standard input.
    :return: whether it is a terminal.
    """
    if not os.isatty(fd):
        yield False
        return
    saved = termios.tcgetattr(fd)
    changed = termios.tcgetattr(fd)
    changed[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
    changed[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
    try:
        termios.tcsetattr(fd, termios.TCSADRAIN, changed)
        yield True
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, saved)


def converse(port: Port, manners: Manners) -> None:
    """Carry keys to a port and what it says to the standard output, until Ctrl-] or the end of a pipe.

    :param port: an open port.
    :raises BoardLost: the port went away.
    :raises RigFault: flow control held the line for too long.
    """
    keyboard = sys.stdin.fileno()
    with keys_as_typed(keyboard) as by_hand:
        _Conversation(port, keyboard, manners, by_hand=by_hand).run()


class _Conversation:
    def __init__(self, port: Port, keyboard: int, manners: Manners, *, by_hand: bool) -> None:
        self._port = port
        self._keyboard = keyboard
        self._manners = manners
        self._by_hand = by_hand
        self._held_back = b""
        self._at_line_start = True
        self._poll = select.poll()
        self._poll.register(port.fd, select.POLLIN)
        self._poll.register(keyboard, select.POLLIN)

    def run(self) -> None:
        listening_until: float | None = None  # while keys can still come
        while True:
            wait = None if listening_until is None else max(0.0, (listening_until - time.monotonic()) * 1000)
            events = dict(self._poll.poll(wait))
            if not events:
                return  # the pipe has ended, and the board has said all
            if self._port.fd in events and self._hear() and listening_until is not None:
                listening_until = time.monotonic() + self._manners.linger
            if self._keyboard in events and not self._speak():
                if self._by_hand:
                    return
                self._poll.unregister(self._keyboard)
                listening_until = time.monotonic() + self._manners.linger

    def _hear(self) -> bool:
        try:
            data = self._port.read()
        except BlockingIOError:
            return False
        if self._manners.timestamps:
            data = b"".join(map(self._stamped, re.findall(rb"[^\n]*\n|[^\n]+", data)))
        self._show(data)
        return True

    @staticmethod
    def _show(data: bytes) -> None:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            raise RigFault("nobody reads what the board says any more") from error

    def _stamped(self, line: bytes) -> bytes:
        stamp = f"[{datetime.now().astimezone():%H:%M:%S.%f}"[:-3] + "] " if self._at_line_start else ""
        self._at_line_start = line.endswith(b"\n")
        return stamp.encode() + line

    def _speak(self) -> bool:
        """Send what was typed.

        :return: whether more may come.
        """
        data = os.read(self._keyboard, _CHUNK)
        if not data:
            self._send(self._held_back)
            return False
        if self._by_hand:
            data, end, _ = data.partition(END_KEY)
            self._send(data.replace(b"\r", self._manners.terminator))
            return not end
        data = self._held_back + data
        keep = 1 if data.endswith(b"\r") else 0  # its line feed may come with the next piece
        self._held_back = data[len(data) - keep :]
        self._send(_LINE_END.sub(lambda _: self._manners.terminator, data[: len(data) - keep]))
        return True

    def _send(self, data: bytes) -> None:
        if self._manners.echo:
            self._show(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        deadline = time.monotonic() + _WRITE_SECONDS
        room = select.poll()
        room.register(self._port.fd, select.POLLOUT)
        while data:
            data = data[self._port.write(data) :]
            if data and not room.poll(max(0.0, (deadline - time.monotonic()) * 1000)):
                raise RigFault(f"the line took no more for {_WRITE_SECONDS:g} s (flow control?)")
