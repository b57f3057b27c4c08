"""One attempt at a test, as the history keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

#: The kind of board of a test without a board.
NO_KIND: Final = ""

Outcome = Literal["passed", "failed", "skipped"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a test; a test that was retried has several in one session.

    :ivar session: id of the run.
    :ivar project: what the test belongs to; ids of tests are told apart by it.
    :ivar test: id of the test.
    :ivar kind: kind of the board that it ran on; :data:`NO_KIND` without a board.
    :ivar board: id of that board; empty without one.
    :ivar others: ids of the further boards of a test that takes several.
    :ivar outcome: what it came to; an expected failure counts as skipped.
    :ivar verdict: who is to blame for a failure; empty where nobody said.
    :ivar seconds: how long it took, its fixtures included.
    :ivar attempt: its number among the attempts at this test in this session, from 1.
    :ivar started: when it began, in seconds since the epoch.
    """

    session: str
    project: str
    test: str
    kind: str = NO_KIND
    board: str = ""
    others: tuple[str, ...] = ()
    outcome: Outcome
    verdict: str = ""
    seconds: float
    attempt: int = 1
    started: float
