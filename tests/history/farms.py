"""Simulated histories whose truth is known."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.history.attempts import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.attempts import Attempt

HOUR = 3_600.0


@dataclass(frozen=True, kw_only=True)
class Farm:
    """Tests on boards, session by session; whoever is not named is healthy.

    :ivar noise: how often anything fails by chance.
    :ivar flaky_tests: how often a test fails by itself, by number.
    :ivar flaky_boards: how often tests fail on a board by its fault, by number.
    :ivar bad_sessions: how often tests fail in a session by its fault, by number.
    :ivar broken_tests: since which session a test fails always, by number.
    :ivar dead_boards: since which session all fails on a board, by number.
    """

    tests: int = 10
    boards: int = 4
    sessions: int = 20
    noise: float = 0.005
    flaky_tests: dict[int, float] = field(default_factory=dict)
    flaky_boards: dict[int, float] = field(default_factory=dict)
    bad_sessions: dict[int, float] = field(default_factory=dict)
    broken_tests: dict[int, int] = field(default_factory=dict)
    dead_boards: dict[int, int] = field(default_factory=dict)

    def attempts(self, seed: int) -> Iterator[Attempt]:
        """Give what was recorded; each session runs each test once, on any board."""
        chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
        for session in range(self.sessions):
            for test in range(self.tests):
                board = chance.randrange(self.boards)
                blamed = "rig" if board in self.flaky_boards else "product"
                passes = (
                    (1 - self.noise)
                    * (1 - self.flaky_tests.get(test, 0))
                    * (1 - self.flaky_boards.get(board, 0))
                    * (1 - self.bad_sessions.get(session, 0))
                    * (session < self.broken_tests.get(test, self.sessions))
                    * (session < self.dead_boards.get(board, self.sessions))
                )
                passed = chance.random() < passes
                yield attempt(
                    f"test-{test}",
                    session=f"run-{session}",
                    board=f"board-{board}",
                    outcome="passed" if passed else "failed",
                    verdict="" if passed else blamed,
                    started=session * HOUR + test,
                )
