"""What a test needs of a board, and whether a board has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.inventory.board import DESTRUCTIVE, VIRTUAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.inventory.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNeed:
    """What a test needs of its board.

    :ivar driver: the dialect that the board must speak; ``None`` for any.
    :ivar kind: the profile that it must have; ``None`` for any.
    :ivar capabilities: what it must be able to do.
    :ivar board_id: the one board that is meant, for tests that run on each board; ``None`` for any.
    """

    driver: str | None = None
    kind: str | None = None
    capabilities: frozenset[str] = frozenset()
    board_id: str | None = None

    def misfit(self, board: Board) -> str | None:
        """Say why a board does not fit, or ``None`` when it does."""
        if self.board_id is not None and board.id != self.board_id:
            return f"is not board {self.board_id}"
        if self.kind is not None and board.kind != self.kind:
            return f"is of kind {board.kind}"
        if self.driver is not None and board.driver != self.driver:
            return f"has driver {board.driver}"
        missing = self.capabilities - board.capabilities
        if VIRTUAL in missing:
            return "is hardware, which no virtual bench controls"
        if DESTRUCTIVE in missing and not board.virtual:
            return "is hardware and has to stay as it is; expected a virtual board, or --allow-destructive"
        return f"lacks {', '.join(sorted(missing))}" if missing else None

    def fitting(self, boards: Iterable[Board]) -> tuple[Board, ...]:
        """Return the boards that fit."""
        return tuple(board for board in boards if self.misfit(board) is None)

    def unmet(self, boards: Sequence[Board], count: int = 1) -> str:
        """Say that no board fits, or too few: what was needed, and for each board why it is not it.

        :param count: how many boards were needed.
        """
        there = "; ".join(f"{board.id} {self.misfit(board) or 'fits'}" for board in boards) or "none"
        if count == 1:
            return f"no board fits: needed {self}; boards of this session: {there}"
        number = len(self.fitting(boards))
        fit = "no board fits" if number == 0 else f"{number} {'fits' if number == 1 else 'fit'}"
        return f"{fit}, {count} are needed at once: each {self}; boards of this session: {there}"

    def __str__(self) -> str:
        """Say it for a person."""
        abilities = sorted(self.capabilities - {DESTRUCTIVE})
        parts = [
            f"board {self.board_id}" if self.board_id is not None else "a board",
            f"of kind {self.kind}" if self.kind is not None else "",
            f"with driver {self.driver}" if self.driver is not None else "",
            f"that can do {', '.join(abilities)}" if abilities else "",
            "that may be changed for good" if DESTRUCTIVE in self.capabilities else "",
        ]
        return " ".join(filter(None, parts))

    def to_json(self) -> dict[str, Any]:
        """Return plain data from which :meth:`from_json` makes an equal need."""
        return {
            "driver": self.driver,
            "kind": self.kind,
            "capabilities": sorted(self.capabilities),
            "board_id": self.board_id,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BoardNeed:
        """Make the need that :meth:`to_json` described."""
        return cls(**{**data, "capabilities": frozenset(data["capabilities"])})
