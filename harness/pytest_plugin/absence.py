"""Which boards are away: the controller notes it in the session's directory, whoever runs tests looks."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import BoardLost, HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard

_NAME = "away"
_LOOK_SECONDS = 0.1


class Absences:
    """The boards of a session that are away."""

    def __init__(self, directory: Path) -> None:
        """Begin, or join in.

        :param directory: the session's.
        """
        self._directory = directory / _NAME
        self._directory.mkdir(mode=0o700, exist_ok=True)

    def _file(self, board_id: str) -> Path:
        return self._directory / board_id.encode().hex()

    def note(self, board_id: str, reason: str) -> None:
        """A board went away; any thread may call.

        :param reason: what was seen of it.
        """
        self._file(board_id).write_text(reason, encoding="utf-8")

    def strike(self, board_id: str) -> None:
        """A board is there again; any thread may call."""
        self._file(board_id).unlink(missing_ok=True)

    def reason(self, board_id: str) -> str | None:
        """Return why a board is taken to be away; ``None`` when it is not."""
        with suppress(FileNotFoundError):
            return self._file(board_id).read_text(encoding="utf-8")
        return None

    def wait_for(self, board: LeasedBoard, *, answers: Callable[[LeasedBoard], bool]) -> None:
        """Wait until a board that is away is back, as long as its consoles would.

        :param answers: tells whether the consoles that are open are alive: who holds a port of the board may
            know that it is back before the controller can ask.
        :raises BoardLost: it did not come back.
        """
        deadline = time.monotonic() + board.reconnect_seconds
        pause = threading.Event()
        while (reason := self.reason(board.id)) is not None:
            if board.lost is None and board.open_consoles:
                with suppress(HarnessError):
                    if answers(board):
                        return
            left = deadline - time.monotonic()
            if left <= 0 or board.lost is not None:
                raise BoardLost(
                    f"board {board.id} went away while the test ran ({reason}) and was not back when it ended"
                )
            pause.wait(min(left, _LOOK_SECONDS))
