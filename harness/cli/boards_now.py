"""Which boards there are now, who they are, where they are and who holds them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.by_hand import find_boards, survey_of, tell
from harness.errors import RigFault
from harness.inventory.board import USB_LOCATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.config import Settings
    from harness.health.quarantine_records import Quarantine
    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.inventory.identity import Answer
    from harness.inventory.lease_records import Holder
    from harness.plugins import HarnessPluginManager

_UNKNOWN_UNTIL_ASKED = "only asking tells who it is (--ask)"
_PURPOSE = "harness boards: who is it?"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNow:
    """A board and how it is.

    :ivar state: ``free``; ``leased``: somebody holds it; ``quarantined``: nobody does, and sessions leave it
        alone; ``absent``: it is known and not there; ``lost``: it is not there though somebody holds it;
        ``unknown``: who holds it, or who it is, cannot be found out.
    :ivar remark: why it is absent or quarantined, or what is unknown of it.
    :ivar quarantine: why and how long sessions leave it alone, whatever its state.
    """

    board: Board
    holder: Holder | None
    state: str
    remark: str | None = None
    quarantine: Quarantine | None = None

    @property
    def location(self) -> str | None:
        """Where it is on USB."""
        return self.board.properties.get(USB_LOCATION)

    def to_json(self) -> dict[str, Any]:
        """Return plain data for programs."""
        return {
            "board": self.board.id,
            "kind": self.board.kind,
            "identity": self.board.identity,
            "confirmed": self.board.confirmed,
            "location": self.location,
            "ports": {role: endpoint.url for role, endpoint in sorted(self.board.endpoints.items())},
            "holder": None if self.holder is None else asdict(self.holder),
            "state": self.state,
            "remark": self.remark,
            "quarantine": None if self.quarantine is None else self.quarantine.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What there is.

    :ivar boards: the boards, in the order of their names.
    :ivar survey: what else is attached; ``None`` on a virtual bench.
    :ivar notes: what asking found out.
    """

    boards: tuple[BoardNow, ...]
    survey: Survey | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking boards.

    :ivar answers: what those said that were free.
    :ivar busy: who holds the others, by the boards' names.
    """

    answers: list[Answer] = field(default_factory=list)
    busy: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen, without who holds what.

    :ivar boards: the boards that are there.
    :ivar absent: those that are known and not there, each with the reason.
    :ivar refused: why some did not say who they are, by name.
    :ivar survey: see :class:`Stock`.
    :ivar notes: see :class:`Stock`.
    """

    boards: Sequence[Board]
    absent: Sequence[tuple[Board, str]]
    refused: Mapping[str, str] = field(default_factory=dict)
    survey: Survey | None
    notes: tuple[str, ...] = ()


def take_stock(plugins: HarnessPluginManager, settings: Settings, *, ask: bool = False) -> Stock:
    """Find the boards and who holds them.

    :param plugins: the loaded plugins.
    :param settings: say which bench.
    :param ask: lease those that are free for a moment, and ask who they are.
    :raises UsageError: a profile or the rig file does not fit, or a board says that it is another one.
    :raises RigFault: the bench does not answer.
    """
    return stock_of(look(plugins, settings, ask=ask))


def look(plugins: HarnessPluginManager, settings: Settings, *, ask: bool = False) -> Seen:
    """Find the boards; see :func:`take_stock`."""
    found = find_boards(plugins, settings)
    survey = survey_of(plugins, settings)
    if survey is None:
        gone = [(board, "it is unplugged") for board in _unplugged(plugins, settings)]
    else:
        gone = [(absent.board, absent.reason) for absent in survey.absent]
    seen = Seen(boards=found, absent=gone, survey=survey)
    return _told_apart(plugins, settings, seen) if ask else seen


def stock_of(seen: Seen) -> Stock:
    """Look who holds the boards that were seen.

    :param seen: the boards.
    """
    boards = [_now(board, refusal=seen.refused.get(board.id)) for board in seen.boards]
    boards += [_now(board, absence=reason) for board, reason in seen.absent]
    ordered = sorted(boards, key=lambda now: now.board.id)
    return Stock(boards=tuple(ordered), survey=seen.survey, notes=seen.notes)


def _told_apart(plugins: HarnessPluginManager, settings: Settings, seen: Seen) -> Seen:
    """Ask the boards, and see them as what they said makes them."""
    from harness.inventory.builtin import survey as survey_again
    from harness.inventory.identity import confirm, identities_of, place_of

    asked = ask_free_boards(plugins, seen.boards)
    survey, known = seen.survey, seen.boards
    if survey is not None:
        survey = survey_again(plugins, settings.rig, identities_of(asked.answers))
        known = survey.boards
    confirmed = confirm(asked.answers, survey)
    places = {place_of(answer.board) for answer in asked.answers}
    return Seen(
        boards=[
            *confirmed.boards,
            *(board for board, _ in confirmed.refused),
            *(board for board in known if place_of(board) not in places),
        ],
        absent=seen.absent if survey is None else [(one.board, one.reason) for one in confirmed.absent],
        refused={board.id: reason for board, reason in confirmed.refused},
        survey=survey,
        notes=confirmed.notes,
    )


def ask_free_boards(plugins: HarnessPluginManager, boards: Sequence[Board]) -> Asked:
    """Ask those boards who they are that nobody holds; each is leased meanwhile.

    :param plugins: the loaded plugins.
    :param boards: the boards.
    """
    from harness.inventory.identity import ask_boards
    from harness.inventory.leases import Leases
    from harness.session_directory import new_run_id

    busy: dict[str, str] = {}
    with Leases(new_run_id()) as leases:
        for board in boards:
            try:
                leases.take([board], deadline=0)
                leases.note_test(board.id, _PURPOSE)
            except RigFault as error:  # somebody else's, or a lease that cannot be used
                busy[board.id] = str(error)
        for warning in leases.warnings:
            tell(f"WARNING: {warning}")
        free = [board for board in boards if board.id not in busy]
        return Asked(answers=ask_boards(free, plugins), busy=busy)


def _unplugged(plugins: HarnessPluginManager, settings: Settings) -> Iterator[Board]:
    from harness.inventory.builtin import known_profiles, virtual_boards
    from harness.virtual.client import BenchClient

    socket = str(settings.bench.socket) if settings.bench is not None else ""
    with BenchClient(socket) as client:
        states = [replace(state, plugged=True, ports={}) for state in client.boards() if not state.plugged]
    yield from virtual_boards(known_profiles(plugins), states, bench=socket)


def unplugged(board: Board) -> BoardNow:
    """Look who holds a board that is not there any more.

    :param board: the board, as it was.
    """
    return _now(board, absence="it is unplugged")


def _now(board: Board, *, absence: str | None = None, refusal: str | None = None) -> BoardNow:
    from harness.health.quarantine import Quarantines
    from harness.inventory.leases import holder

    try:
        held_by = holder(board)
    except RigFault as error:
        return BoardNow(board=board, holder=None, state="unknown", remark=str(error))
    quarantine = Quarantines.of_bench(board.bench).of(board, datetime.now(UTC))
    remark = absence or refusal
    if absence is not None:
        state = "absent" if held_by is None else "lost"
    elif held_by is not None:
        state = "leased"
    elif quarantine is not None:
        state = "quarantined"
    else:
        state = "free" if refusal is None else "unknown"
    if quarantine is not None:
        remark = f"{quarantine}; {remark}" if remark else str(quarantine)
    if remark is None and board.ambiguous and not board.confirmed:
        remark = _UNKNOWN_UNTIL_ASKED
    return BoardNow(board=board, holder=held_by, state=state, remark=remark, quarantine=quarantine)
