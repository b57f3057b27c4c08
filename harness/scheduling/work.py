"""A test as the scheduler knows it, and what a worker is told to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The boards that a test fits: ``None`` for a test without a board, nothing for one that fits no board yet.
Boards = frozenset[str] | None
NO_BOARD_YET: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One test.

    Tests that fit the same boards should share one set of them: it is looked at once then.

    :ivar boards: ids of the boards that it fits.
    :ivar count: how many of these it takes at once.
    :ivar seconds: how long it is expected to run, or that by kind of board as far as it is known.
    :ivar group: tests of one group run in their order, one after the other, on one worker.
    """

    boards: Boards
    count: int = 1
    seconds: float | Mapping[str, float] = 1.0
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker gets to do.

    :ivar test: index of the test.
    :ivar boards: of a test that takes several boards, all of them: its runner's own first, then the others
        in the order of their ids.
    :ivar stands_by: the worker does not run the test, it only frees its board for whoever does.
    """

    test: int
    boards: tuple[str, ...] = ()
    stands_by: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """What to tell a worker.

    :ivar assignments: what to do after all that it holds.
    :ivar shut_down: whether nothing will follow.
    """

    assignments: tuple[Assignment, ...] = ()
    shut_down: bool = False
