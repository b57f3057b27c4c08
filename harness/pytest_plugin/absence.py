"""Which boards are away: the controller notes it in the session's directory, whoever runs tests looks."""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from harness.errors import BoardLost, ConsoleTimeout, RigFault
from harness.inventory.device_nodes import nodes_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness.console import Console
    from harness.inventory.device_nodes import DeviceNodes
    from harness.inventory.leased_board import LeasedBoard
    from harness.plugins import HarnessPluginManager

_NAME = "away"
_LOOK_SECONDS = 0.1
_NOTHING: Final = re.compile(rb"(?!)")


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

    def wait_for(self, board: LeasedBoard, plugins: HarnessPluginManager, *, began_with: DeviceNodes) -> None:
        """See that a board is there; when it is not, wait for it as long as its consoles would.

        :param plugins: who knows how to ask a board who it is.
        :param began_with: its device nodes when the test began.
        :raises BoardLost: it did not come back.
        """
        if self.reason(board.id) is None and _looks_well(board, began_with):
            return
        deadline = time.monotonic() + board.reconnect_seconds
        pause = threading.Event()
        while (problem := _problem_of(board, plugins)) is not None:
            left = deadline - time.monotonic()
            if left <= 0 or board.lost is not None:
                seen = self.reason(board.id) or board.lost or problem
                raise BoardLost(f"board {board.id} went away while the test ran, and was not back: {seen}")
            pause.wait(min(left, _LOOK_SECONDS))


def _looks_well(board: LeasedBoard, began_with: DeviceNodes) -> bool:
    """Tell whether nothing shows that a board went away, though the controller may not know it yet."""
    consoles = board.open_consoles
    if consoles:
        return all(map(_is_connected, consoles.values()))
    return nodes_of(board.description) == began_with


def _problem_of(board: LeasedBoard, plugins: HarnessPluginManager) -> str | None:
    """Say why a board is not there; ``None`` when its consoles found it, or one that looks for it now."""
    if board.open_consoles:
        connected = all(map(_is_connected, board.open_consoles.values()))
        return None if connected else "its ports are gone"
    from harness.inventory.finding import find_endpoint

    try:
        for role in board.description.endpoints:
            find_endpoint(board.description, role, plugins, deadline=0.0)
    except RigFault as fault:
        return str(fault)
    return None


def _is_connected(console: Console) -> bool:
    try:
        console.expect(_NOTHING, timeout=0, reason="looking whether the port is there")
    except ConsoleTimeout:
        return console.lost is None
    except BoardLost:
        return False
    return True
