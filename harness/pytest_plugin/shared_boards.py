"""What workers tell each other of boards that a test of several takes: who laid one down, who borrowed it.

A board has one worker, its owner. For a test of several boards the owners of the others lay theirs down, and
the worker that runs the test borrows them until it is over. Nobody waits here for anybody: the controller
sends the test when all of its boards are laid down, and owners get no other test before it is over. What is
written down is for what goes wrong: a worker that dies leaves its notes behind.

A worker that ends, or is killed, may be taken for gone before the kernel has closed its ports, and a new one
may have begun. So whoever has a board's ports open holds a lock, too, which goes with its process.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.inventory.board import Board
from harness.inventory.locks import keep_from_children, open_lock_file, wait_for_lock

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "shared-boards"
_LAID_DOWN, _USED, _FAILED, _KEPT, _LOCK = "laid-down", "used", "failed", "kept", "lock"
# A process that dies closes its descriptors from the lowest on: the lock has to outlast the ports.
_BEHIND_PORTS = 900


class SharedBoards:
    """The notes of a session's workers on their boards."""

    def __init__(self, directory: Path) -> None:
        """Begin, or join in.

        :param directory: the session's.
        """
        self._directory = directory / _NAME
        self._directory.mkdir(mode=0o700, exist_ok=True)

    def hold(self, board_id: str, *, seconds: float) -> int | None:
        """Take the right to open the ports of a board, as soon as nobody else has them open.

        :param seconds: how long to wait for that.
        :return: the descriptor that holds it, for ``close_lock``; ``None`` when somebody else still does.
        """
        file = self._file(board_id, _LOCK)
        descriptor = wait_for_lock(lambda: _open_behind_ports(file), time.monotonic() + seconds)
        if descriptor is not None:
            keep_from_children(descriptor)
        return descriptor

    # -- the owner ----------------------------------------------------------------------------------------

    def lay_down(self, board: Board) -> None:
        """The owner has closed its board; it says what is known of it now."""
        self._file(board.id, _LAID_DOWN).write_text(json.dumps(board.to_json()), encoding="utf-8")

    def take_up(self, board_id: str) -> None:
        """The owner is about to use its board again."""
        self._file(board_id, _LAID_DOWN).unlink(missing_ok=True)

    def laid_down(self, board_id: str) -> Board | None:
        """Return what the owner knew of a board that it laid down; ``None`` of one that it holds."""
        text = self._read(board_id, _LAID_DOWN)
        return None if text is None else Board.from_json(json.loads(text))

    # -- whoever uses it ----------------------------------------------------------------------------------

    def note_use(self, board_id: str, reason: str) -> None:
        """A board may not be as it was any more: a test is about to use it, or a worker died with it."""
        self._file(board_id, _USED).write_text(reason, encoding="utf-8")

    def note_restored(self, board_id: str) -> None:
        """A board is as it was."""
        self._file(board_id, _USED).unlink(missing_ok=True)

    def needs_restoring(self, board_id: str) -> bool:
        """Tell whether whoever uses a board next has to put it back first."""
        return self._file(board_id, _USED).exists()

    def note_failure(self, board_id: str, test: str) -> None:
        """A test failed that used a board of another worker."""
        self._file(board_id, _FAILED).write_text(test, encoding="utf-8")

    def take_failure(self, board_id: str) -> str | None:
        """Return the test that failed on a board since its owner asked last; ``None`` when none did."""
        test = self._read(board_id, _FAILED)
        self._file(board_id, _FAILED).unlink(missing_ok=True)
        return test

    def keep(self, board_id: str, test: str) -> None:
        """A test failed, and the board is to stay as it left it."""
        self._file(board_id, _KEPT).write_text(test, encoding="utf-8")

    def kept_by(self, board_id: str) -> str | None:
        """Return the test for whose sake a board is to stay as it is."""
        return self._read(board_id, _KEPT)

    def _file(self, board_id: str, what: str) -> Path:
        return self._directory / f"{board_id.encode().hex()}.{what}"

    def _read(self, board_id: str, what: str) -> str | None:
        with suppress(FileNotFoundError):
            return self._file(board_id, what).read_text(encoding="utf-8")
        return None


def _open_behind_ports(file: Path) -> int:
    descriptor = open_lock_file(file)
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _BEHIND_PORTS)
    except OSError:  # this process may not have so many
        return descriptor
    os.close(descriptor)
    return high
