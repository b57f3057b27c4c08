"""Which boards a session leaves alone since they are quarantined; decided before any of them is leased."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.health.quarantine import Quarantines, how_to_lift

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from harness.config import Settings
    from harness.health.quarantine_records import Quarantine
    from harness.inventory.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """What came of looking for quarantined boards.

    :ivar boards: those that may be used.
    :ivar quarantined: those that are left alone, each with why.
    :ivar unreadable: records that cannot be read, and why.
    """

    boards: tuple[Board, ...]
    quarantined: tuple[tuple[Board, Quarantine], ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What a header says of it."""
        lines = [
            f"harness: quarantined: {board.id}: {one}; to use it again: {how_to_lift(board.id, board.bench)}"
            for board, one in self.quarantined
        ]
        return [
            *lines,
            *(f"harness: WARNING: a quarantine cannot be read: {text}" for text in self.unreadable),
        ]


def leave_alone(found: Iterable[Board], settings: Settings, now: datetime) -> LeftAlone:
    """Leave out the boards that are quarantined.

    :param found: what discovery found.
    :param settings: what was asked for.
    :param now: the time.
    :raises UsageError: a board that is named is quarantined, or so many that too few are left.
    """
    boards: list[Board] = []
    quarantined: list[tuple[Board, Quarantine]] = []
    unreadable: dict[str, None] = {}
    for board in found:
        quarantines = Quarantines.of_bench(board.bench)
        quarantine = quarantines.of(board, now)
        unreadable.update(dict.fromkeys(quarantines.unreadable))
        if quarantine is None:
            boards.append(board)
        else:
            quarantined.append((board, quarantine))
    if quarantined:
        _refuse_what_is_quarantined(boards, quarantined, settings)
    return LeftAlone(boards=tuple(boards), quarantined=tuple(quarantined), unreadable=tuple(unreadable))


def why_quarantined(board: Board, now: datetime) -> str | None:
    """Say why a board is left alone; ``None`` when it may be used.

    :param board: the board, as it is known now: what it said of itself may be what it is quarantined by.
    :param now: the time.
    """
    quarantine = Quarantines.of_bench(board.bench).of(board, now)
    if quarantine is None:
        return None
    return f"it is quarantined: {quarantine}; to use it again: {how_to_lift(board.id, board.bench)}"


def _refuse_what_is_quarantined(
    boards: Sequence[Board], quarantined: Sequence[tuple[Board, Quarantine]], settings: Settings
) -> None:
    """Say that it is for a quarantine's sake that what was asked for is not there.

    :raises UsageError: so it is.
    """
    for board, one in quarantined:
        if board.id in settings.board_ids:
            raise UsageError(
                f"this board is quarantined: {one}",
                key="--board",
                value=board.id,
                expected=f"another board, or first: {how_to_lift(board.id, board.bench)}",
            )
    reasons = "; ".join(f"{board.id}: {one}" for board, one in quarantined)
    lift = f"first: {how_to_lift('ID', quarantined[0][0].bench)}"
    if not boards:
        raise UsageError(f"every board is quarantined: {reasons}", key="--bench", expected=lift)
    wanted = settings.boards
    there = Counter(board.kind for board in boards)
    kept = Counter(board.kind for board, _ in quarantined)
    for kind, number in wanted.kinds.items():
        if there[kind] < number <= there[kind] + kept[kind]:
            raise _too_few(f"{kind}={number}", there[kind], reasons, lift)
    if len(boards) < (wanted.count or 0) <= len(boards) + len(quarantined):
        raise _too_few(str(wanted.count), len(boards), reasons, lift)


def _too_few(asked: str, there: int, reasons: str, lift: str) -> UsageError:
    return UsageError(
        f"more boards than there are without those that are quarantined ({reasons})",
        key="--boards",
        value=asked,
        expected=f"at most {there}, or {lift}",
    )
