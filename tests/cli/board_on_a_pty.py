"""A board of a few lines on a pty, and the rig file that names it."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class BoardOnAPty:
    """Answers ``AT`` with OK, ``AT+NO`` with an error, ``SAY x`` with x and ``STAY`` with nothing.

    :ivar rig: the rig file; the board is ``desk-1``.
    :ivar port: path of its port.
    :ivar heard: everything that it was sent.
    """

    def __init__(self, directory: Path, discipline: str = "at-host") -> None:
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)
        self.heard = b""
        self._arrived = threading.Condition()
        self._end, self._tell_end = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.rig = directory / "rig.toml"
        self.rig.write_text(
            f"""
            [[board]]
            id = "desk-1"
            profile = "nrf9151dk"
            endpoints.console = {{ url = "{self.port}", discipline = "{discipline}", rtscts = false }}
            """
        )

    def say(self, data: bytes) -> None:
        """Say something unasked."""
        os.write(self._near, data)

    def unplug(self) -> None:
        """Pull its cable: whoever has its port open sees the end."""
        self._stop()
        os.close(self._near)
        self._near = -1

    def _stop(self) -> None:
        os.write(self._tell_end, b"x")
        self._thread.join(20)

    def wait_for(self, data: bytes) -> None:
        """Wait until it was sent something."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: data in self.heard, 20), f"{data!r} not in {self.heard!r}"

    def _serve(self) -> None:
        line = b""
        while True:
            ready, _, _ = select.select([self._near, self._end], [], [])
            if self._end in ready:
                return
            data = os.read(self._near, 4096)
            with self._arrived:
                self.heard += data
                self._arrived.notify_all()
            *lines, line = (line + data).replace(b"\r\n", b"\r").split(b"\r")
            for one in lines:
                os.write(self._near, self._answer(one))

    @staticmethod
    def _answer(line: bytes) -> bytes:
        if line.startswith(b"SAY "):
            return line[4:] + b"\r\n"
        return {b"AT": b"\r\nOK\r\n", b"AT+TWO": b"1\r\n2\r\nOK\r\n", b"AT+NO": b"+CME ERROR: 513\r\n"}.get(
            line, b""
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop()
        for descriptor in (self._near, self._far, self._end, self._tell_end):
            if descriptor >= 0:
                os.close(descriptor)
