"""Where each collected test may run, or why it does not: decided once, applied when it runs.

:func:`place` decides and touches nothing; :func:`apply_placement` makes pytest skip or fail the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.markers import (
    BACKEND,
    BOARD,
    PROVES,
    EachBoard,
    read_backend_mark,
    read_board_marks,
    read_proves_mark,
)
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.backends.contract import Backend
    from harness.inventory.board import Board

BOARD_FIXTURE = "board"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where one test may run.

    :ivar need: what it needs of a board; ``None`` for a test without a board.
    :ivar boards: the boards that fit.
    :ivar backends: names of the services that it uses.
    :ivar skip: why it is skipped, if it is.
    :ivar fail: why it fails without being run, if it does.
    """

    need: BoardNeed | None = None
    boards: tuple[Board, ...] = ()
    backends: tuple[str, ...] = ()
    skip: str | None = None
    fail: str | None = None


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
    need = need_of(item)
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
    elif need is not None and not boards and not offer.late_boards:
        reason = need.unmet(offer.boards)
        skip, fail = (None, f"{reason} (--strict-boards)") if offer.strict_boards else (reason, None)
    else:
        skip = _missing_capability(
            [(name, mark.needs) for mark in marks for name in ([mark.name] if mark.name else used)], offer
        )
    return Placement(need=need, boards=boards, backends=tuple(used), skip=skip, fail=fail)


def need_of(item: pytest.Item) -> BoardNeed | None:
    """Return what a test needs of a board; ``None`` when it does not take the fixture ``board``.

    :raises UsageError: a ``board`` marker is malformed.
    """
    mark = read_board_marks(item.iter_markers(BOARD), item.nodeid)
    if BOARD_FIXTURE not in fixture_names(item):
        return None
    callspec = getattr(item, "callspec", None)
    each = None if callspec is None else callspec.params.get(BOARD_FIXTURE)
    if not isinstance(each, EachBoard):
        return mark.need
    return BoardNeed(
        driver=mark.need.driver,
        kind=each.kind or mark.need.kind,
        capabilities=mark.need.capabilities,
        board_id=each.board_id,
    )


def fixture_names(item: pytest.Item) -> Sequence[str]:
    """Return the names of all fixtures of a test, those of its fixtures included."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


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
