"""A kind of virtual board: the nRF91 of the bench, with a record of every byte on its line.

The board itself is the one that suites use. Its bench imports this module by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.virtual.contract import VirtualKind
from harness_nordic import plugin
from harness_nordic.virtual.board import create as create_nrf91

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import BoardHost, VirtualBoard, VirtualBoardSpec

SUFFIX = "-recorded"
KINDS = {
    kind.kind + SUFFIX: replace(kind, kind=kind.kind + SUFFIX, factory=f"{__name__}:create")
    for kind in plugin.harness_virtual_boards()
    if isinstance(kind, VirtualKind)
}


class _RecordingHost:
    """The bench as the board sees it; what the board sends is written down."""

    def __init__(self, host: BoardHost, traffic: list[tuple[str, str]]) -> None:
        self._host = host
        self._traffic = traffic

    def send(self, role: str, data: bytes) -> None:
        if role == "console":
            self._traffic.append(("<", data.hex()))
        self._host.send(role, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)


class RecordedBoard:
    """The board as the bench sees it; what it is sent is written down. One call more: ``line_traffic``."""

    def __init__(self, host: BoardHost, spec: VirtualBoardSpec) -> None:
        self._traffic: list[tuple[str, str]] = []
        kind = spec.kind.removesuffix(SUFFIX)
        self._board: VirtualBoard = create_nrf91(
            _RecordingHost(host, self._traffic), replace(spec, kind=kind)
        )

    def receive(self, role: str, data: bytes) -> None:
        if role == "console":
            self._traffic.append((">", data.hex()))
        self._board.receive(role, data)

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        if method == "line_traffic":
            return list(self._traffic)
        return self._board.call(method, params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._board, name)


def create(host: BoardHost, spec: VirtualBoardSpec) -> RecordedBoard:
    """Make a board; the factory of :data:`KINDS`."""
    return RecordedBoard(host, spec)
