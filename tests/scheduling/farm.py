"""Workers for the tests of the dispatcher: they do what real ones do, and tell about it later, in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.scheduling.dispatch import Dispatcher
from harness.scheduling.work import Work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.scheduling.work import Assignment, Boards, Orders

A, B, C = frozenset({"a"}), frozenset({"b"}), frozenset({"c"})
AB, ABC, NONE_YET = A | B, A | B | C, frozenset[str]()
KINDS = {"a": "car", "b": "car", "c": "boat"}


def works(*boards: Boards, seconds: float = 1.0) -> list[Work]:
    """Make tests that take one board each."""
    return [Work(boards=each, seconds=seconds) for each in boards]


class Turns:
    """What workers began, and what was revoked before they did: the first who says it for a turn is right."""

    def __init__(self, *begun: tuple[str, int]) -> None:
        self.said: dict[tuple[object, int], str] = dict.fromkeys(begun, "begun")

    def revoke(self, worker: object, turn: int) -> bool:
        return self.said.setdefault((worker, turn), "revoked") == "revoked"

    def begin(self, worker: object, turn: int) -> bool:
        return self.said.setdefault((worker, turn), "begun") == "begun"


def dispatcher(
    work: Sequence[Work],
    turns: Turns | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
    restarts: bool = False,
    **workers: str | None,
) -> Dispatcher[str]:
    """Make one with workers."""
    made: Dispatcher[str] = Dispatcher(
        work, KINDS if kinds is None else kinds, (turns or Turns()).revoke, restarts=restarts
    )
    for worker, board in workers.items():
        made.add_worker(worker, board)
    return made


def handed_out(orders: Mapping[str, Orders]) -> dict[str, list[int]]:
    """Return which tests each worker was given, those left out for which it only stands by."""
    return {
        worker: [one.test for one in order.assignments if not one.stands_by]
        for worker, order in orders.items()
        if any(not one.stands_by for one in order.assignments)
    }


def standing_by(orders: Mapping[str, Orders]) -> dict[str, int]:
    """Return who was told to stand by, and for which test."""
    return {
        worker: one.test for worker, order in orders.items() for one in order.assignments if one.stands_by
    }


def ending(orders: Mapping[str, Orders]) -> set[str]:
    """Return who was told that nothing follows."""
    return {worker for worker, order in orders.items() if order.shut_down}


@dataclass
class Worker:
    """A worker: it begins what it holds at once, one after the other.

    :ivar standing: the test for which it stands by, until it is given something else.
    """

    board: str | None
    inbox: deque[tuple[int, Assignment]] = field(default_factory=deque)
    turns: int = 0
    told_to_end: bool = False
    running: Assignment | None = None
    standing: int | None = None
    dead: bool = False

    @property
    def may_go_on(self) -> bool:
        return not self.dead and (self.running is not None or bool(self.inbox) or self.told_to_end)
