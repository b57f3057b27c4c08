"""Rounds of a soak: many, each with a random generator of its own, counted by outcome, told while they run.

``HARNESS_SOAK_SCALE`` scales their number (``make soak`` sets 1), ``HARNESS_SOAK_SEED`` repeats a run and
``HARNESS_SOAK_ROUND`` one round of it: a failure prints both.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCALE = float(os.environ.get("HARNESS_SOAK_SCALE", "0.001"))
SEED = os.environ.setdefault("HARNESS_SOAK_SEED", secrets.token_hex(4))  # workers inherit it
ONLY_ROUND = os.environ.get("HARNESS_SOAK_ROUND")
FEWEST = 20
SECONDS_BETWEEN_NEWS = 15.0


def scaled(count: int) -> int:
    """Return how many of a number of rounds are to be run now; never so few that a test is none."""
    return max(min(FEWEST, count), int(count * SCALE))


class Rounds:
    """The rounds of one test.

    :ivar outcomes: how often each outcome was counted.
    """

    def __init__(self, title: str, say: Callable[[str], None]) -> None:
        """Prepare.

        :param title: the test; part of every round's seed.
        :param say: prints a line at once, whatever is captured.
        """
        self.outcomes: Counter[str] = Counter()
        self._title = title
        self._say = say
        self._round = 0
        self._done = 0
        self._started = time.monotonic()

    def run(self, count: int) -> Iterator[Random]:
        """Give each round its random generator.

        :param count: rounds at scale 1.
        """
        total = scaled(count)
        news = self._started + SECONDS_BETWEEN_NEWS
        for self._round in range(total) if ONLY_ROUND is None else [int(ONLY_ROUND)]:
            yield Random(f"{SEED} {self._title} {self._round}")  # noqa: S311 - to be repeatable is the point
            self._done += 1
            if time.monotonic() > news:
                news = time.monotonic() + SECONDS_BETWEEN_NEWS
                self._say(f"{self._title}: {self._done} of {total} rounds")

    @property
    def number(self) -> int:
        """The round that runs now, from 0."""
        return self._round

    def count(self, outcome: str) -> None:
        """Count an outcome of this round."""
        self.outcomes[outcome] += 1

    @property
    def where(self) -> str:
        """What repeats the round that runs now."""
        return f"HARNESS_SOAK_SEED={SEED} HARNESS_SOAK_ROUND={self._round} HARNESS_SOAK_SCALE={SCALE:g}"

    @property
    def summary(self) -> str:
        """What was done, in one line."""
        seconds = time.monotonic() - self._started
        outcomes = ", ".join(f"{name} {number}" for name, number in self.outcomes.most_common())
        return f"{self._done} rounds in {seconds:.1f} s: {outcomes or 'no outcomes counted'}"
