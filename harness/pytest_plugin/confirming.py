"""Which attached boards a session uses: those asked for, as far as they say who they are.

They are leased and asked before the first test. One that does not answer is left out, and where a number of
boards was asked for another one takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import RigFault, UsageError
from harness.inventory.confirmation import find_by_name, in_doubt, take_what_is_free
from harness.pytest_plugin import selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.config import BoardsWanted, Settings
    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.inventory.confirmation import Confirmation


def choose_attached(
    settings: Settings, found: Sequence[Board], seen: Survey | None, confirmation: Confirmation
) -> tuple[Board, ...]:
    """Lease and ask attached boards, and keep those that the session uses.

    :param settings: what was asked for.
    :param found: what discovery found.
    :param seen: what is known of the host's ports.
    :param confirmation: leases and asks; settled afterwards.
    :return: the boards, in the order of their names.
    :raises UsageError: a board or kind that is asked for is not there, or the rig file has it wrong.
    :raises LeaseBusy: not enough of them became free in time.
    :raises RigFault: not enough of them say who they are; with ``--strict-boards`` one does not.
    """
    if settings.board_ids:
        boards = _named(settings, found, seen, confirmation)
    else:
        boards = _any(settings, found, seen, confirmation)
    kept = confirmation.settle(
        board.granted(allow_destructive=settings.allow_destructive) for board in boards
    )
    refused = confirmation.result.refused
    if refused and (settings.strict_boards or not kept):
        raise RigFault(f"boards cannot be used: {_in_words(refused)}")
    return kept


def _named(
    settings: Settings, found: Sequence[Board], seen: Survey | None, confirmation: Confirmation
) -> tuple[Board, ...]:
    names = frozenset(settings.board_ids)
    if names <= {board.id for board in found} or not any(map(in_doubt, found)):
        selection.candidates(settings, found, seen)  # says what of it there is not
    by_name = find_by_name(names, found, confirmation, deadline=settings.lease_deadline)
    refused = {board.id: reason for board, reason in confirmation.result.refused}
    absent = {one.board.id: one.reason for one in confirmation.result.absent}
    for name in settings.board_ids:
        if name in by_name:
            continue
        if name in refused:
            raise RigFault(f"board {name} cannot be used: {refused[name]}")
        there = ", ".join(board.id for board in confirmation.result.boards)
        reason = f"the rig file has this board, and it is absent: {absent[name]}" if name in absent else None
        raise UsageError(
            reason or "no such board, and none of those that were asked says that it is this one",
            key="--board",
            value=name,
            expected="it plugged in and switched on" if reason else there or "a board that answers",
        )
    return _enough(settings.boards, list(by_name.values()), list(by_name.values()), confirmation)


def _any(
    settings: Settings, found: Sequence[Board], seen: Survey | None, confirmation: Confirmation
) -> tuple[Board, ...]:
    wanted = settings.boards
    pool = selection.candidates(settings, found, seen)
    selection.lease(wanted, pool, confirmation.leases, deadline=settings.lease_deadline)
    asked = list(confirmation.leases.boards)
    confirmation.ask(asked)
    number = len(selection.choose(wanted, pool))
    while len(chosen := selection.choose(wanted, confirmation.result.boards)) < number:
        left = (board for board in pool if board not in asked)
        useful = [
            board
            for board in left
            if len(selection.choose(wanted, [*confirmation.result.boards, board])) > len(chosen)
        ]
        more = take_what_is_free(useful[: number - len(chosen)], confirmation.leases)
        if not useful:
            break
        asked += useful[: number - len(chosen)]
        confirmation.ask(more)
    return _enough(wanted, pool, confirmation.result.boards, confirmation)


def _enough(
    wanted: BoardsWanted, pool: Sequence[Board], boards: Sequence[Board], confirmation: Confirmation
) -> tuple[Board, ...]:
    """Return the boards that make up what was asked for.

    :raises RigFault: a number was asked for, and fewer may be used.
    """
    chosen = selection.choose(wanted, boards)
    number = len(selection.choose(wanted, pool))
    if len(chosen) < number and (wanted.count is not None or wanted.kinds):
        reasons = _in_words(confirmation.result.refused)
        raise RigFault(f"of the {number} boards that --boards asks for {len(chosen)} can be used: {reasons}")
    return chosen


def _in_words(refused: Iterable[tuple[Board, str]]) -> str:
    return "; ".join(f"{board.id}: {reason}" for board, reason in refused) or "others are leased meanwhile"
