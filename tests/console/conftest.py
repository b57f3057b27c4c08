"""A board at the other end of a real pty, driven by the test."""

from __future__ import annotations

import os
import select
import threading
import tty
from typing import TYPE_CHECKING

import pytest

from harness.console import Console
from harness.inventory.board import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class PtyBoard:
    """The far end of a console.

    :ivar path: what a console opens.
    """

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop_reading, self._stop = os.pipe()
        self._thread: threading.Thread | None = None

    def say(self, data: bytes) -> None:
        """Transmit."""
        os.write(self.master, data)

    def hear(self, count: int, seconds: float = 5.0) -> bytes:
        """Receive so many bytes."""
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([self.master], [], [], seconds)
            assert ready, f"only {data!r} came"
            data += os.read(self.master, count - len(data))
        return data

    def heard_nothing(self) -> bool:
        """Tell whether nothing has arrived that was not taken yet."""
        ready, _, _ = select.select([self.master], [], [], 0)
        return not ready

    def answer(self, respond: Callable[[bytes], bytes]) -> None:
        """Answer every line that ends with CR, on a thread, until the board is closed."""

        def serve() -> None:
            line = b""
            while True:
                ready, _, _ = select.select([self.master, self._stop_reading], [], [])
                if self._stop_reading in ready:
                    return
                line += os.read(self.master, 4096)
                while b"\r" in line:
                    command, line = line.split(b"\r", 1)
                    os.write(self.master, respond(command))

        self._thread = threading.Thread(target=serve)
        self._thread.start()

    def unplug(self) -> None:
        """Vanish: both ends of the far side are closed."""
        self.close()

    def unplug_when_written_to(self) -> threading.Thread:
        """Vanish as soon as a byte has come: in the middle of what is longer than a tty holds.

        :return: what does it, to be joined.
        """

        def pull() -> None:
            self.hear(1)
            self.unplug()

        puller = threading.Thread(target=pull)
        puller.start()
        return puller

    def close(self) -> None:
        """End; idempotent."""
        if self.master < 0:
            return
        os.write(self._stop, b"x")
        if self._thread is not None:
            self._thread.join()
        for fd in (self.master, self._slave, self._stop, self._stop_reading):
            os.close(fd)
        self.master = -1


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    """A board on a pty."""
    far = PtyBoard()
    yield far
    far.close()


@pytest.fixture
def console(board: PtyBoard, tmp_path: Path) -> Iterator[Console]:
    """A console of the board, captured below ``tmp_path``."""
    with Console.open(
        Endpoint(role="console", url=board.path), name="b1-console", directory=tmp_path
    ) as opened:
        yield opened
