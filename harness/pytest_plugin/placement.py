"""Where each collected test may run, or why it does not: decided once, applied when it runs.

:func:`place` decides and touches nothing; :func:`apply_placement` makes pytest skip or fail the test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.grouping import group_of
from harness.pytest_plugin.handover import Requirement
from harness.pytest_plugin.markers import (
    BACKEND,
    BOARD,
    PROVES,
    EachBoard,
    read_backend_mark,
    read_board_marks,
    read_proves_mark,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.backends.contract import Backend
    from harness.inventory.board import Board
    from harness.pytest_plugin.markers import BoardMark
    from harness.scheduling.needs import BoardNeed

BOARD_FIXTURE = "board"
BOARDS_FIXTURE = "boards"
_OUR_FIXTURES = "harness.pytest_plugin.plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where one test may run.

    :ivar need: what it needs of a board, or of each of several; ``None`` for a test without a board.
    :ivar count: how many boards it takes at once.
    :ivar group: which tests it is kept together with; ``None`` for none.
    :ivar boards: the boards that fit.
    :ivar backends: names of the services that it uses.
    :ivar skip: why it is skipped, if it is.
    :ivar fail: why it fails without being run, if it does.
    """

    need: BoardNeed | None = None
    count: int = 1
    group: str | None = None
    boards: tuple[Board, ...] = ()
    backends: tuple[str, ...] = ()
    skip: str | None = None
    fail: str | None = None

    @property
    def requirement(self) -> Requirement:
        """What the scheduler has to know of it: nothing of a test that is not run; any worker can say so."""
        if self.skip is not None or self.fail is not None:
            return Requirement()
        return Requirement(need=self.need, count=self.count, group=self.group)


PLACEMENT_KEY = pytest.StashKey[Placement]()
"""On ``item``: where it may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a session has for its tests.

    :ivar boards: its boards.
    :ivar backends: its services, by name.
    :ivar known_backends: names of all services that could be asked for.
    :ivar strict_boards: whether a need that no board meets is a failure.
    :ivar late_boards: whether a board that meets it may be plugged in later.
    :ivar dry_run: whether tests end where they would change something in a service that is no fake.
    """

    boards: Sequence[Board]
    backends: Mapping[str, Backend]
    known_backends: Collection[str]
    strict_boards: bool = False
    late_boards: bool = False
    dry_run: bool = False


def place(item: pytest.Item, offer: Offer) -> Placement:
    """Decide where a test may run.

    :param item: the test.
    :param offer: what the session has.
    :raises UsageError: a marker of the test is malformed; the message names the test.
    """
    for mark in item.iter_markers(PROVES):
        read_proves_mark(mark, item.nodeid)
    requirement = requirement_of(item)
    need = requirement.need
    marks = [read_backend_mark(mark, item.nodeid) for mark in item.iter_markers(BACKEND)]
    used = sorted(
        {name for name in fixture_names(item) if name in offer.known_backends}
        | {mark.name for mark in marks if mark.name is not None}
    )
    boards = () if need is None else need.fitting(offer.boards)
    missing = [name for name in used if name not in offer.backends]
    skip = fail = None
    if missing:
        fail = how_to_add_backend(missing[0])
    elif offer.dry_run and need is not None and not used:
        skip = "dry run: the test uses no service, only its board, which it might change"
    elif need is not None and len(boards) < requirement.count and not offer.late_boards:
        reason = need.unmet(offer.boards, requirement.count)
        skip, fail = (None, f"{reason} (--strict-boards)") if offer.strict_boards else (reason, None)
    else:
        skip = _missing_capability(
            [(name, mark.needs) for mark in marks for name in ([mark.name] if mark.name else used)], offer
        )
    return Placement(
        need=need,
        count=requirement.count,
        group=requirement.group,
        boards=boards,
        backends=tuple(used),
        skip=skip,
        fail=fail,
    )


def requirement_of(item: pytest.Item) -> Requirement:
    """Return what a test needs; no board when it takes neither of the fixtures ``board`` and ``boards``.

    :raises UsageError: a marker is malformed, or does not go with the fixtures.
    """
    mark = read_board_marks(item.iter_markers(BOARD), item.nodeid)
    callspec = getattr(item, "callspec", None)
    each = None if callspec is None else callspec.params.get(BOARD_FIXTURE)
    if not isinstance(each, EachBoard):
        each = None
    part = None if each is None else each.board_id or each.kind
    group = group_of(item, part=part)
    taken = [BOARD_FIXTURE] if BOARD_FIXTURE in fixture_names(item) else []
    taken += [BOARDS_FIXTURE] if takes_boards(item) else []
    if not taken:
        return Requirement(group=group)
    _refuse_count_that_does_not_fit(mark, taken, item.nodeid)
    need = mark.need
    if each is not None:
        need = replace(need, kind=each.kind or need.kind, board_id=each.board_id)
    return Requirement(need=need, count=mark.count or 1, group=group)


def _refuse_count_that_does_not_fit(mark: BoardMark, taken: Sequence[str], test: str) -> None:
    if taken == [BOARD_FIXTURE] and (mark.count or 1) > 1:
        raise UsageError(
            "the fixture 'board' is one board",
            file=test,
            key=f"{BOARD}(count=)",
            value=mark.count,
            expected="the fixture 'boards' in its place, also in the test's own fixtures",
        )
    if taken == [BOARDS_FIXTURE] and mark.count is None:
        raise UsageError(
            "the fixture 'boards' needs to know how many",
            file=test,
            key=f"{BOARD}(count=)",
            expected="the marker @pytest.mark.board(count=N) on the test",
        )
    if len(taken) > 1:
        raise UsageError(
            "the test takes both 'board' and 'boards', perhaps in a fixture of its own",
            file=test,
            key=BOARDS_FIXTURE,
            expected="one of the two",
        )


def fixture_names(item: pytest.Item) -> Sequence[str]:
    """Return the names of all fixtures of a test, those of its fixtures included."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


def takes_boards(item: pytest.Item) -> bool:
    """Tell whether a test takes our fixture ``boards``; a suite may have one of its own by that name."""
    if BOARDS_FIXTURE not in fixture_names(item):
        return False
    info: Any = getattr(item, "_fixtureinfo", None)
    for definition in reversed(info.name2fixturedefs.get(BOARDS_FIXTURE, ()) if info is not None else ()):
        if definition.func.__module__ == _OUR_FIXTURES:
            return True
        if BOARDS_FIXTURE not in definition.argnames:
            return False
    return False


def how_to_add_backend(name: str) -> str:
    """Say which option gives a test the service that it asks for."""
    return f"this test uses the backend {name!r}: add --backend {name}=fake, {name}=real or {name}=URL"


def _missing_capability(wanted: Sequence[tuple[str, frozenset[str]]], offer: Offer) -> str | None:
    for name, needs in wanted:
        backend = offer.backends[name]
        missing = needs - backend.capabilities
        if missing:
            return f"backend {name} ({backend.mode}) cannot be asked for: {', '.join(sorted(missing))}"
    return None


def apply_placement(item: pytest.Item, placement: Placement) -> None:
    """Keep the placement with the test and make pytest skip or fail it where it says so."""
    item.stash[PLACEMENT_KEY] = placement
    if placement.fail is not None:
        fail_instead(item, placement.fail)
    elif placement.skip is not None:
        item.add_marker(pytest.mark.skip(reason=placement.skip))


def fail_instead(item: pytest.Item, reason: str) -> None:
    """Make a test fail with one message, and without making its fixtures."""

    def fail() -> None:
        pytest.fail(reason, pytrace=False)

    # Item.setup and Item.runtest are what pytest calls; a failure in setup would be counted as an error.
    item.setup = lambda: None  # type: ignore[method-assign]  # this one item only
    item.runtest = fail  # type: ignore[method-assign]  # this one item only
