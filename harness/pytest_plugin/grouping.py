"""Tests that are kept together: which, that they follow each other, and that one board fits them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.pytest_plugin.markers import KEEP_TOGETHER, read_keep_together_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from harness.inventory.board import Board
    from harness.pytest_plugin.handover import Requirement


def group_of(item: pytest.Item, *, part: str | None = None) -> str | None:
    """Return the group that a test belongs to; ``None`` when it is in none.

    The nearest marker counts. One with a name joins all tests of that name, wherever they are; one without
    joins those that it is on: the tests of a class or module, or the cases of one function.

    :param part: of a test that runs on each board or kind: which. The group has a part for each.
    :raises UsageError: the marker is malformed.
    """
    for node, mark in item.iter_markers_with_node(KEEP_TOGETHER):
        name = read_keep_together_mark(mark, item.nodeid)
        if name is not None:
            group = repr(name)  # no node has such an id
        elif node is item:
            function = getattr(item, "originalname", None) or item.name
            group = f"{item.parent.nodeid if item.parent else ''}::{function}"
        else:
            group = node.nodeid
        return group if part is None else f"{group} on {part}"
    return None


def put_together(items: list[pytest.Item], groups: Sequence[str | None]) -> None:
    """Let the tests of a group follow its first one, in their order; the others stay where they are.

    :param items: the tests, reordered in place.
    :param groups: the group of each.
    """
    members: dict[str, list[pytest.Item]] = {}
    for item, group in zip(items, groups, strict=True):
        if group is not None:
            members.setdefault(group, []).append(item)
    ordered: list[pytest.Item] = []
    for item, group in zip(items, groups, strict=True):
        ordered += [item] if group is None else members.pop(group, [])
    items[:] = ordered


def refuse_groups_apart(
    requirements: Iterable[tuple[str, Requirement]], boards: Sequence[Board], *, late_boards: bool
) -> None:
    """See that each group has a board on which all its tests can run.

    :param requirements: the ids of all tests, and what those need that are to be run.
    :param boards: the boards of the session.
    :param late_boards: whether a board may be plugged in later; then a group needs none yet.
    :raises UsageError: two tests, or all of them together, have none in common.
    """
    groups: dict[str, list[tuple[str, Requirement]]] = {}
    for test, requirement in requirements:
        if requirement.group is not None and requirement.need is not None:
            groups.setdefault(requirement.group, []).append((test, requirement))
    for group, members in groups.items():
        _refuse_apart(group, members, boards, late_boards=late_boards)


def _refuse_apart(
    group: str, members: Sequence[tuple[str, Requirement]], boards: Sequence[Board], *, late_boards: bool
) -> None:
    common: frozenset[str] | None = None
    for number, (test, requirement) in enumerate(members):
        need = requirement.need
        fitting = frozenset(board.id for board in need.fitting(boards)) if need is not None else frozenset()
        common = fitting if common is None else common & fitting
        rivals = [other for other in members[:number] if _contradict(other[1], requirement)]
        if rivals or (not common and not late_boards):
            other = _one_apart(members[:number], rivals, fitting, boards)
            raise UsageError(
                f"kept together with {other} (group {group}), and no board of this session fits them all",
                file=test,
                key=KEEP_TOGETHER,
                expected="tests that fit one board in common",
            )


def _one_apart(
    before: Sequence[tuple[str, Requirement]],
    rivals: Sequence[tuple[str, Requirement]],
    fitting: frozenset[str],
    boards: Sequence[Board],
) -> str:
    """Return one of the tests before that has no board in common with this one; else the first."""
    for test, requirement in (*rivals, *before):
        need = requirement.need
        if need is not None and not fitting & {board.id for board in need.fitting(boards)}:
            return test
    return before[0][0]


def _contradict(one: Requirement, other: Requirement) -> bool:
    """Tell whether no board whatever can be what both need."""
    pairs = [(getattr(one.need, key), getattr(other.need, key)) for key in ("kind", "driver", "board_id")]
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)
