"""Services are told of a board anew whenever the board is opened anew."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from harness.backends.contract import Backend
from harness.inventory.board import Board
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.pytest_plugin.services import Services


class Vendor:
    """Tells a board's driver which agent serves it, as a vendor does."""

    def harness_make_driver(self, board: LeasedBoard) -> Any:
        """Make a driver that nobody told anything."""
        return SimpleNamespace(agent=None, board=board)

    def harness_introduce_board(self, board: LeasedBoard, backend: Backend) -> None:
        """Tell it, and say so in the reports."""
        assert board.driver.agent is None, "it was told already"
        board.driver.agent = backend.url
        board.remarks.append(f"served by {backend.name}")


def test_board_that_came_back_is_introduced_again() -> None:
    """A lost board is closed; its next driver hears of the service too, and reports say it once."""
    plugins = load_plugins()
    plugins.register(Vendor(), "vendor")
    session: Any = SimpleNamespace(
        plugins=plugins, backends={"toy": Backend(name="toy", mode="fake", url="http://192.0.2.1")}
    )
    runner: Any = None  # no test is run
    services = Services(session, runner, [], place="w0")
    board = LeasedBoard(Board(id="b1", kind="toy", driver="d"), plugins, capture_directory=None)

    for _ in range(2):
        services._introduce(board, "toy")
        services._introduce(board, "toy")
        assert board.driver.agent == "http://192.0.2.1"
        assert board.remarks == ["served by toy"]
        board.close()
    assert board.driver.agent is None
