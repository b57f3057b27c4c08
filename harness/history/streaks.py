"""Tests and boards that stopped working: nothing but failures since some time."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from harness.history.causes import Run

#: So many failures in a row are the fewest that are a streak.
SHORTEST: Final = 3
#: A streak may be so probable at most, at the rate of failures before it or by the fault of others: else it
#: is bad luck, not an end.
BAD_LUCK: Final = 0.01


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures in a row up to the last run.

    :ivar since: when the first of them began, in seconds since the epoch.
    :ivar runs: all of them.
    :ivar before: how many runs there were before them.
    """

    since: float
    runs: tuple[Run, ...]
    before: int


@dataclass(frozen=True, slots=True)
class Broken:
    """What is broken, by name.

    :ivar tests: tests that only fail any more, on whichever board.
    :ivar boards: boards on which all tests fail, which pass elsewhere.
    """

    tests: Mapping[str, Streak]
    boards: Mapping[str, Streak]

    @property
    def runs(self) -> frozenset[Run]:
        """The runs that failed since; they say nothing of anybody else."""
        streaks = (*self.tests.values(), *self.boards.values())
        return frozenset(run for streak in streaks for run in streak.runs)


def find_broken(runs: Sequence[Run]) -> Broken:
    """Return the tests and boards that are broken.

    A streak during which most others fail, too, accuses nobody: the service was down, or the host.

    :param runs: in the order of time.
    """
    luck = _Luck(runs)
    everywhere = _broken_tests(runs, luck, lambda streak: len({run.board for run in streak.runs}) > 1)
    passed_before = {run.test for run in runs if not run.failed}
    on_boards = [run for run in runs if run.board and run.test not in everywhere]
    boards = {
        board: streak
        for board, streak in _streaks(on_boards, lambda run: run.board, luck.with_test_elsewhere).items()
        if len({run.test for run in streak.runs} & passed_before) > 1
        and _others_pass(on_boards, streak.since, _boards_but(board))
    }
    explained = {run for streak in boards.values() for run in streak.runs}
    tests = _broken_tests([run for run in runs if run not in explained], luck)
    return Broken(tests=tests, boards=boards)


class _Luck:
    """How often a run fails by the fault of the other one of its test and its board."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._counts: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
        for run in runs:
            for key in (("test", run.test), ("board", run.board), ("pair", run.test, run.board)):
                counts = self._counts[key]
                counts[0] += run.failed
                counts[1] += 1

    def on_board_otherwise(self, run: Run) -> float:
        """Return how often other tests fail on a run's board."""
        return self._rate_but_for_the_pair(("board", run.board), run) if run.board else 0.0

    def with_test_elsewhere(self, run: Run) -> float:
        """Return how often a run's test fails on other boards."""
        return self._rate_but_for_the_pair(("test", run.test), run)

    def _rate_but_for_the_pair(self, key: tuple[str, ...], run: Run) -> float:
        failed, number = self._counts[key]
        failed_together, together = self._counts["pair", run.test, run.board]
        return (failed - failed_together) / max(1, number - together)


def _broken_tests(
    runs: Sequence[Run], luck: _Luck, counts: Callable[[Streak], bool] = lambda _streak: True
) -> dict[str, Streak]:
    return {
        test: streak
        for test, streak in _streaks(runs, lambda run: run.test, luck.on_board_otherwise).items()
        if len({run.session for run in streak.runs}) > 1
        and counts(streak)
        and _others_pass(runs, streak.since, _tests_but(test))
    }


def _streaks(
    runs: Iterable[Run], name: Callable[[Run], str], others_fault: Callable[[Run], float]
) -> dict[str, Streak]:
    """Return the streak of each name that has one.

    :param others_fault: returns how often a run fails by somebody else's fault.
    """
    runs_of = defaultdict(list)
    for run in runs:
        runs_of[name(run)].append(run)
    streaks = {}
    for each, mine in runs_of.items():
        length = _length(mine)
        before = len(mine) - length
        streak = Streak(mine[before].started, tuple(mine[before:]), before) if length >= SHORTEST else None
        if streak is not None:
            own = (sum(run.failed for run in mine[:before]) + 1) / (before + 2) if before else 0.0
            if math.prod(max(own, others_fault(run)) for run in streak.runs) < BAD_LUCK:
                streaks[each] = streak
    return streaks


def _length(runs: Sequence[Run]) -> int:
    for length, run in enumerate(reversed(runs)):
        if not run.failed:
            return length
    return len(runs)


def _others_pass(runs: Collection[Run], since: float, is_other: Callable[[Run], bool]) -> bool:
    """Tell whether most of what ran elsewhere since then passed; where too little ran it has the benefit."""
    others = [run.failed for run in runs if run.started >= since and is_other(run)]
    return len(others) < SHORTEST or 2 * sum(others) <= len(others)


def _tests_but(test: str) -> Callable[[Run], bool]:
    return lambda run: run.test != test


def _boards_but(board: str) -> Callable[[Run], bool]:
    return lambda run: run.board != board
