"""Tests and boards that stopped working: nothing but failures since some time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from harness.history.causes import Run

#: So many failures in a row are the fewest that are a streak.
SHORTEST: Final = 3
#: How probable a streak may be at the rate of failures before it: else it is bad luck, not an end.
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
    everywhere = _broken_tests(runs, lambda streak: len({run.board for run in streak.runs}) > 1)
    passed_before = {run.test for run in runs if not run.failed}
    on_boards = [run for run in runs if run.board and run.test not in everywhere]
    boards = {
        board: streak
        for board, streak in _streaks(on_boards, lambda run: run.board).items()
        if len({run.test for run in streak.runs} & passed_before) > 1
        and _others_pass(on_boards, streak.since, _boards_but(board))
    }
    explained = {run for streak in boards.values() for run in streak.runs}
    tests = _broken_tests([run for run in runs if run not in explained])
    return Broken(tests=tests, boards=boards)


def _broken_tests(
    runs: Sequence[Run], counts: Callable[[Streak], bool] = lambda _streak: True
) -> dict[str, Streak]:
    return {
        test: streak
        for test, streak in _streaks(runs, lambda run: run.test).items()
        if len({run.session for run in streak.runs}) > 1
        and counts(streak)
        and _others_pass(runs, streak.since, _tests_but(test))
    }


def _streaks(runs: Iterable[Run], name: Callable[[Run], str]) -> dict[str, Streak]:
    """Return the streak of each name that has one."""
    runs_of = defaultdict(list)
    for run in runs:
        runs_of[name(run)].append(run)
    streaks = {}
    for each, mine in runs_of.items():
        length = _length(mine)
        before = len(mine) - length
        failed = sum(run.failed for run in mine[:before])
        by_luck = ((failed + 1) / (before + 2)) ** length if before else 0.0
        if length >= SHORTEST and by_luck < BAD_LUCK:
            streaks[each] = Streak(mine[before].started, tuple(mine[before:]), before)
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
