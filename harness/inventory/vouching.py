"""Vouching for a board: who holds it open and knows who it is tells those who therefore cannot ask it.

A board that came back is asked by its own console's seeker, which keeps the port. The controller, which wants
to know the same, finds the port in use: so the seeker writes down what it found out. That counts for exactly
the device nodes that were there then; another plug makes other nodes.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.inventory.device_nodes import node_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.board import Board

_NAME = "vouchers"
_Nodes = dict[str, list[int]]


class Vouchers:
    """What the processes of a session know of boards that they hold open."""

    def __init__(self, directory: Path) -> None:
        """Begin, or join in.

        :param directory: the session's own.
        """
        self._directory = directory / _NAME
        self._directory.mkdir(mode=0o700, exist_ok=True)

    def write(self, board: Board, holds: Callable[[], bool]) -> None:
        """Vouch for a board where it is now, if it was asked and is still held; any thread may call.

        :param board: the board.
        :param holds: tells whether a port of it is open at that moment.
        """
        nodes = _nodes(board)
        if board.identity is None or not nodes or not holds():  # in this order: what is held had these nodes
            return
        with tempfile.NamedTemporaryFile("w", dir=self._directory, delete=False) as file:
            json.dump({"identity": board.identity, "nodes": nodes}, file)
        Path(file.name).replace(self._directory / f"{board.id.encode().hex()}.json")

    def identity_of(self, candidate: Board) -> str | None:
        """Return who somebody knows a board to be; ``None`` when nobody holds it open.

        :param candidate: what is plugged in.
        """
        nodes = _nodes(candidate)
        for file in self._directory.glob("*.json"):
            told = json.loads(file.read_text(encoding="utf-8"))
            if told["nodes"].items() <= nodes.items():  # its ports come one after the other
                return str(told["identity"])
        return None


def _nodes(board: Board) -> _Nodes:
    """Return what stands for each port of a board; nothing of one whose ports are not all there."""
    nodes = {port: node_at(port) for port in board.ports}
    return (
        {port: list(node) for port, node in nodes.items() if node is not None} if all(nodes.values()) else {}
    )
