"""What a board hears on one of its ports: bytes, clients that come, and the modem lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.virtual.contract import HearsClients, HearsModemLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.auto_reset import AutoReset
    from harness.virtual.contract import VirtualBoard


class Running(Protocol):
    """Whoever runs the board's own code."""

    @property
    def awake(self) -> bool:
        """Whether its firmware runs."""

    def guard(self, doing: str, action: Callable[[], object]) -> None:
        """Run the board's own code; what it raises is its crash."""


class Hearing:
    """Passes on what happens on one port; fulfils :class:`harness.virtual.ports.PortHearer`."""

    def __init__(self, running: Running, board: VirtualBoard, role: str, circuit: AutoReset | None) -> None:
        """Listen for a board.

        :param running: runs the board.
        :param board: the board.
        :param role: the port's role.
        :param circuit: what the port's modem lines drive, if anything.
        """
        self._running = running
        self._board = board
        self._role = role
        self._circuit = circuit

    def receive(self, data: bytes) -> None:
        """Pass on what a client wrote; a board whose firmware does not run hears nothing."""
        if self._running.awake:
            self._running.guard("receive", lambda: self._board.receive(self._role, data))

    def client_came(self) -> None:
        """Tell a board that wants to know that the port was opened."""
        board = self._board
        if isinstance(board, HearsClients):
            self._running.guard("client_came", lambda: board.client_came(self._role))

    def settings_changed(self) -> None:
        """Tell a board that wants to know that a client had changed the port's settings."""
        board = self._board
        if isinstance(board, HearsClients):
            self._running.guard("settings_changed", lambda: board.settings_changed(self._role))

    def lines_changed(self, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        """Tell a board to which they mean something that DTR or RTS has changed, and the circuit on them."""
        board = self._board
        if isinstance(board, HearsModemLines):
            self._running.guard("modem_lines", lambda: board.modem_lines(self._role, dtr, rts))
        if self._circuit is not None:
            self._circuit.lines_changed(dtr, rts)
