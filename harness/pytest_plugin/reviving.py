"""Bringing back boards that are silent when the session begins, before it is known who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.health.ladder import climb, in_vain, steps_for
from harness.inventory.identity import ask_boards
from harness.inventory.leased_board import LeasedBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.inventory.board import Board
    from harness.plugins import HarnessPluginManager


class Reviver:
    """Takes the steps of the ladder that need no answer of the board; there may be none."""

    def __init__(
        self,
        plugins: HarnessPluginManager,
        survey: Callable[[], Sequence[Board]],
        *,
        tell: Callable[[str], None],
    ) -> None:
        """Do nothing yet.

        :param plugins: who knows how to bring boards back, and how to ask them.
        :param survey: finds the boards that are attached now.
        :param tell: takes what becomes of it, in lines.
        """
        self._plugins = plugins
        self._survey = survey
        self._tell = tell

    def revive(self, board: Board, problem: str) -> tuple[str, Board] | None:
        """Try to bring back a board.

        :param board: the board; it is leased by us.
        :param problem: what came of asking it.
        :return: what brought it back, and the board as it is found now; ``None`` when nothing did.
        """
        found = board

        def tell(text: str) -> None:
            self._tell(f"board {board.id}: {text}")

        leased = LeasedBoard(board, self._plugins, capture_directory=None)
        try:
            steps = [step for step in steps_for(leased, self._plugins, tell) if not step.by_console]
            if not steps:
                return None
            self._tell(f"board {board.id} does not answer: {problem}")

            def ask() -> str | None:
                nonlocal found
                now = self._find(board)
                if now is None:
                    return "its ports are gone"
                found = now
                return ask_boards([found], self._plugins)[0].problem

            helped = climb(
                steps,
                ask,
                prepare=leased.close,
                tell=tell,
            )
            if helped is None:
                self._tell(f"board {board.id} is left out: {in_vain(steps)}")
            return None if helped is None else (helped, found)
        finally:
            leased.close()

    def _find(self, board: Board) -> Board | None:
        """Find a board again: after a power cycle its ttys may have other names."""
        return next((one for one in self._survey() if one.hardware_place == board.hardware_place), None)
