"""Which boards a session uses: of those found, those asked for; all of them are leased."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING

from harness.config import DEFAULT_VIRTUAL_BOARDS
from harness.errors import UsageError

_MOST_PORTS = 8

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from harness.config import BoardsWanted, Settings
    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.inventory.leases import Leases
    from harness.virtual.contract import VirtualKind


def kinds_to_start(wanted: BoardsWanted, kinds: Sequence[str], *, by_name: Sequence[str] = ()) -> list[str]:
    """Return the kind of each board that a virtual bench of our own is to host.

    A number without kinds is spread over all kinds, in the order of their names.

    :param wanted: what ``--boards`` asked for.
    :param kinds: every kind that a plugin can host.
    :param by_name: those of them that a number without kinds does not take.
    :raises UsageError: an unknown kind, or none at all.
    """
    known = sorted(set(kinds))
    if not known:
        raise UsageError(
            "no installed plugin has a virtual board",
            key="--bench",
            value="virtual",
            expected="a plugin with harness_virtual_boards, for example provisioning-harness[nordic]",
        )
    for kind in wanted.kinds:
        if kind not in known:
            raise _unknown_kind(kind, known)
    if wanted.kinds:
        return [kind for kind, number in wanted.kinds.items() for _ in range(number)]
    usual = [kind for kind in known if kind not in by_name] or known
    return [usual[number % len(usual)] for number in range(wanted.count or DEFAULT_VIRTUAL_BOARDS)]


def kinds_by_name(kinds: Iterable[VirtualKind], services: Collection[str]) -> list[str]:
    """Return the kinds that a number without kinds does not take.

    :param kinds: every kind that a plugin can host.
    :param services: names of the services that the session uses; without any it may want boards of all.
    """
    return [
        kind.kind
        for kind in kinds
        if kind.only_by_name or (services and kind.service is not None and kind.service not in services)
    ]


def candidates(settings: Settings, found: Iterable[Board], survey: Survey | None = None) -> list[Board]:
    """Return the boards that may be used, in identity order.

    :param settings: ``--board`` names some; ``--boards`` may name kinds.
    :param found: what discovery found.
    :param survey: what is known of the host's ports, when boards were looked for there.
    :raises UsageError: nothing was found, or a board or kind that is named is not there.
    """
    boards = sorted(found, key=lambda board: board.id)
    by_id = {board.id: board for board in boards}
    absent = {one.board.id: one for one in survey.absent} if survey is not None else {}
    for board_id in settings.board_ids:
        if board_id in absent and board_id not in by_id:
            raise UsageError(
                f"the rig file has this board, and it is absent: {absent[board_id].reason}",
                key="--board",
                value=board_id,
                expected="it plugged in and switched on",
            )
    if not boards:
        raise _nothing_found(settings, survey)
    for board_id in settings.board_ids:
        if board_id not in by_id:
            raise UsageError(
                "no such board", key="--board", value=board_id, expected=nearest_of(board_id, by_id)
            )
    if settings.board_ids:
        boards = [board for board in boards if board.id in settings.board_ids]
    there = Counter(board.kind for board in boards)
    for kind, number in settings.boards.kinds.items():
        if kind not in there:
            raise _unknown_kind(kind, sorted(there))
        if there[kind] < number:
            raise _too_few(f"{kind}={number}", there[kind])
    if (settings.boards.count or 0) > len(boards):
        raise _too_few(str(settings.boards.count), len(boards))
    return boards


def _nothing_found(settings: Settings, survey: Survey | None) -> UsageError:
    """Say what was looked for, what was seen, and what to do."""
    if survey is None:
        bench = settings.bench
        where = f"the virtual bench at {bench.socket}" if bench and bench.socket else "the bench"
        return UsageError(
            f"no board found: looked on {where} and saw none that is plugged in",
            key="--bench",
            expected="a bench with boards; add some (harness bench up --boards N) or plug one in",
        )
    parts = [f"looked for {', '.join(survey.looked_for) or 'nothing, for no profile has USB ids'}"]
    if settings.rig is not None and settings.rig.boards:
        gone = "; ".join(f"{one.board.id}: {one.reason}" for one in survey.absent)
        parts.append(f"the boards of {settings.rig.file} are absent: {gone}")
    seen = [str(stranger) for stranger in survey.strangers[:_MOST_PORTS]]
    if len(survey.strangers) > _MOST_PORTS:
        seen.append(f"and {len(survey.strangers) - _MOST_PORTS} more, see: harness boards")
    parts.append(f"saw the serial ports {'; '.join(seen)}" if seen else "saw no serial port")
    return UsageError(
        f"no board found: {'; '.join(parts)}",
        key="--bench",
        value="attached",
        expected="a board that is plugged in and switched on, one that rig.toml describes (see the page"
        " 'Use your own boards'), or --bench virtual",
    )


def choose(wanted: BoardsWanted, boards: Sequence[Board]) -> tuple[Board, ...]:
    """Return the first boards that make up what was asked for; all of them when nothing was."""
    if wanted.count is not None:
        return tuple(boards[: wanted.count])
    if not wanted.kinds:
        return tuple(boards)
    left = Counter(wanted.kinds)
    chosen = []
    for board in boards:
        if left[board.kind] > 0:
            left[board.kind] -= 1
            chosen.append(board)
    return tuple(chosen)


def lease(wanted: BoardsWanted, boards: Sequence[Board], leases: Leases, *, deadline: float) -> None:
    """Lease the boards that make up what was asked for, as soon as enough of them are free.

    :param boards: the candidates, in identity order.
    :param leases: takes and holds them.
    :param deadline: seconds to wait for all of them together.
    :raises LeaseBusy: not enough of them became free in time; the message says who holds the others.
    """
    number = len(choose(wanted, boards))

    def enough(free: Sequence[Board]) -> tuple[Board, ...] | None:
        chosen = choose(wanted, free)
        return chosen if len(chosen) == number else None

    leases.take_some(boards, enough, deadline=deadline)


def nearest_of(name: str, known: Iterable[str]) -> str | None:
    """Say what there is, the nearest first; ``None`` when there is nothing."""
    names = list(known)
    ordered = difflib.get_close_matches(name, names, n=len(names) or 1, cutoff=0)
    return ", ".join([*ordered[:1], *sorted(ordered[1:])]) or None


def _unknown_kind(kind: str, known: Sequence[str]) -> UsageError:
    return UsageError("no board of this kind", key="--boards", value=kind, expected=nearest_of(kind, known))


def _too_few(asked: str, there: int) -> UsageError:
    return UsageError("more boards than there are", key="--boards", value=asked, expected=f"at most {there}")
