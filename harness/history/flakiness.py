"""The judgement on tests and boards: flaky, broken, fine, or not enough runs to tell; pure.

What is broken is found first (:mod:`harness.history.streaks`) and left out. Of all else the fewest causes are
looked for that explain the failures (:mod:`harness.history.causes`): a test whose failures its boards explain
is not flaky, nor is a board whose failures its tests explain.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.history.causes import BACKGROUND, Believed, Cause, Causes, Run, Sort, find_causes
from harness.history.streaks import Broken, Streak, find_broken
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.history.attempts import Attempt

#: With fewer runs nothing is called fine.
FEWEST_RUNS: Final = 5
#: Fewer failures than chance would give more often than this need no cause.
CHANCE: Final = 0.05
#: What all runs have in common is worth telling from this rate on.
COMMON_RATE: Final = 0.05


class Judgement(StrEnum):
    """What is to be thought of a test, or of a board."""

    BROKEN = "broken"
    FLAKY = "flaky"
    PAIR = "fails as a pair"
    UNKNOWN = "not enough runs"
    FINE = "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A test or a board, and what is to be thought of it.

    :ivar name: the test's id or the board's.
    :ivar project: of the test; empty for a board.
    :ivar runs: how often it passed or failed.
    :ivar failures: how often it failed.
    :ivar partners: on how many boards the test ran, or how many tests ran on the board.
    :ivar failed_with: on how many of them, or how many of them, failed.
    :ivar verdicts: how many failures had which verdict at the time, the most frequent first.
    :ivar rate: of what is flaky, how often it fails by itself, as is estimated.
    :ivar since: of what is broken, when it began to fail, in seconds since the epoch.
    :ivar reason: why it is judged so, in one sentence.
    """

    name: str
    project: str = ""
    judgement: Judgement
    runs: int
    failures: int
    partners: int
    failed_with: int
    verdicts: dict[str, int]
    rate: float | None = None
    since: float | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a history says.

    :ivar sessions: how many sessions it is drawn from.
    :ivar tests: each test that passed or failed at least once; what is worst first.
    :ivar boards: each board that tests passed or failed on; what is worst first.
    :ivar notes: what is the matter with neither test nor board.
    """

    sessions: int
    tests: tuple[Judged, ...]
    boards: tuple[Judged, ...]
    notes: tuple[str, ...]


def runs_of(attempts: Iterable[Attempt]) -> list[Run]:
    """Return what attempts say of tests and boards, in the order of time.

    What was skipped says nothing, nor does what was asked for wrongly. What failed with several boards says
    of none of them that it was it.
    """
    runs = [
        Run(
            test=f"{attempt.project}\0{attempt.test}",
            board="" if attempt.others else attempt.board,
            session=attempt.session,
            failed=attempt.outcome == "failed",
            started=attempt.started,
            verdict=attempt.verdict,
        )
        for attempt in attempts
        if attempt.outcome != "skipped" and attempt.verdict != Verdict.USAGE
    ]
    return sorted(runs, key=lambda run: run.started)


def judge_history(attempts: Iterable[Attempt]) -> Findings:
    """Judge the tests and the boards of a history.

    :param attempts: in any order.
    """
    runs = runs_of(attempts)
    broken = find_broken(runs)
    rest = [run for run in runs if run not in broken.runs]
    judge = _Judge(broken, find_causes(rest), rest)
    tests, boards = defaultdict(list), defaultdict(list)
    for run in runs:
        tests[run.test].append(run)
        if run.board:
            boards[run.board].append(run)
    order = list(Judgement)
    return Findings(
        sessions=len({run.session for run in runs}),
        tests=tuple(
            sorted(
                (judge.test(test, mine) for test, mine in tests.items()),
                key=lambda one: (order.index(one.judgement), -one.failures / one.runs, one.name),
            )
        ),
        boards=tuple(
            sorted(
                (judge.board(board, mine) for board, mine in boards.items()),
                key=lambda one: (order.index(one.judgement), -one.failures / one.runs, one.name),
            )
        ),
        notes=tuple(judge.notes()),
    )


class _Judge:
    def __init__(self, broken: Broken, causes: Causes, rest: Sequence[Run]) -> None:
        self._broken = broken
        self._causes = causes
        self._by_cause: dict[Cause, Believed] = {}
        self._unclear: dict[Cause, Believed] = {}
        for each in causes.believed:
            if each.rivals:
                self._unclear.update(dict.fromkeys((each.cause, *each.rivals), each))
            else:
                self._by_cause[each.cause] = each
        boards = {run.board for run in rest if run.board}
        if len(boards) == 1:  # with none to compare it with
            alone = Cause(Sort.BOARD, (boards.pop(),))
            if alone in self._by_cause:
                self._unclear[alone] = self._by_cause.pop(alone)
        self._rest = frozenset(rest)

    def test(self, name: str, runs: Sequence[Run]) -> Judged:
        project, _, test = name.partition("\0")
        boards = {run.board for run in runs if run.board}
        failed_on = {run.board for run in runs if run.board and run.failed}
        where = f", on {len(failed_on)} of {len(boards)} boards" if boards else ""
        judgement, reason, rate, since = self._judge(
            Cause(Sort.TEST, (name,)), self._broken.tests.get(name), runs, where
        )
        return Judged(
            name=test,
            project=project,
            judgement=judgement,
            runs=len(runs),
            failures=sum(run.failed for run in runs),
            partners=len(boards),
            failed_with=len(failed_on),
            verdicts=_verdicts(runs),
            rate=rate,
            since=since,
            reason=reason,
        )

    def board(self, name: str, runs: Sequence[Run]) -> Judged:
        tests = {run.test for run in runs}
        failed = {run.test for run in runs if run.failed}
        judgement, reason, rate, since = self._judge(
            Cause(Sort.BOARD, (name,)),
            self._broken.boards.get(name),
            runs,
            f", in {len(failed)} of {len(tests)} tests",
        )
        return Judged(
            name=name,
            judgement=judgement,
            runs=len(runs),
            failures=sum(run.failed for run in runs),
            partners=len(tests),
            failed_with=len(failed),
            verdicts=_verdicts(runs),
            rate=rate,
            since=since,
            reason=reason,
        )

    def _judge(
        self, cause: Cause, streak: Streak | None, runs: Sequence[Run], where: str
    ) -> tuple[Judgement, str, float | None, float | None]:
        failures = sum(run.failed for run in runs)
        failed = f"failed {failures} of {len(runs)} times{where}"
        if streak is not None:
            always = "failed each of the last" if streak.before else "has never passed in"
            return Judgement.BROKEN, f"{always} {len(streak.runs)} times", None, streak.since
        believed = self._by_cause.get(cause)
        if believed is not None and failures == len(runs):  # at times, or always: too early to tell
            return Judgement.UNKNOWN, f"{failed}; it has not passed yet", None, None
        if believed is not None:
            return Judgement.FLAKY, failed, believed.rate, None
        pairs = [each for each in self._by_cause if each.sort is Sort.PAIR and cause.names[0] in each.names]
        if pairs:
            others = ", ".join(
                _plain(name) for each in pairs for name in each.names if name != cause.names[0]
            )
            return Judgement.PAIR, f"{failed}; only together with {others}", None, None
        if cause in self._unclear:
            return Judgement.UNKNOWN, f"{failed}; {_either(self._unclear[cause])}", None, None
        return *self._judge_unaccused(runs, failed), None, None

    def _judge_unaccused(self, runs: Sequence[Run], failed: str) -> tuple[Judgement, str]:
        """Judge what is no cause: its failures have others, or there are too few to tell."""
        left = [run for run in runs if run in self._rest]
        blamed = {run: self._causes.behind(run) for run in left if run.failed}
        clear = {each.cause for behind in blamed.values() for each in behind} & self._by_cause.keys()
        open_ = [run for run, behind in blamed.items() if not any(each.cause in clear for each in behind)]
        if _tail(len(open_), len(left), BACKGROUND) < CHANCE:
            if _tail(len(open_), len(left), self._causes.background) >= CHANCE:
                return Judgement.UNKNOWN, f"{failed}; no more than everything else"
            unclear = [each for run in open_ for each in blamed[run]]
            if clear or len(left) < len(runs):
                failed += f"; nobody is to blame for {len(open_)} of them"
            return Judgement.UNKNOWN, "; ".join([failed, *dict.fromkeys(map(_either, unclear))])
        if len(left) < FEWEST_RUNS:
            return Judgement.UNKNOWN, f"ran {len(runs)} times" if len(left) == len(runs) else failed
        if not any(run.failed for run in runs):
            return Judgement.FINE, "never failed"
        names = sorted(map(_in_words, clear)) + self._broken_among(runs)
        return Judgement.FINE, f"{failed}; {', '.join(names) + ' to blame' if names else 'by chance'}"

    def _broken_among(self, runs: Sequence[Run]) -> list[str]:
        """Say which broken tests and boards some runs failed by."""
        failed = {run for run in runs if run.failed and run not in self._rest}
        streaks = (("test", self._broken.tests), ("board", self._broken.boards))
        return [
            f"{sort} {_plain(name)}"
            for sort, broken in streaks
            for name, streak in sorted(broken.items())
            if not failed.isdisjoint(streak.runs)
        ]

    def notes(self) -> Iterable[str]:
        """Say what is the matter with neither test nor board."""
        for each in self._causes.believed:
            if each.cause.sort is Sort.ALL and each.rate >= COMMON_RATE:
                yield f"everything fails at times ({each.rate:.0%}): look at the service and at the host"
            if each.cause.sort is Sort.SESSION and not each.rivals:
                yield f"session {each.cause.names[0]} was bad as a whole: {each.rate:.0%} failed by it"


def _verdicts(runs: Iterable[Run]) -> dict[str, int]:
    return dict(Counter(run.verdict for run in runs if run.failed and run.verdict).most_common())


def _plain(name: str) -> str:
    return name.rpartition("\0")[2]


def _either(unclear: Believed) -> str:
    """Say what it may be, when nobody can tell."""
    if not unclear.rivals:
        return f"it may be {_in_words(unclear.cause)}, the service or the host: no other board ran"
    return f"it may be {' or '.join(map(_in_words, (unclear.cause, *unclear.rivals)))}"


def _in_words(cause: Cause) -> str:
    if cause.sort is Sort.PAIR:
        return "the two together"
    return f"{cause.sort} {_plain(cause.names[0])}"


def _tail(failures: int, runs: int, rate: float) -> float:
    """Return how probable it is that so many runs or more fail at a rate."""
    chances = (
        math.exp(
            math.lgamma(runs + 1)
            - math.lgamma(number + 1)
            - math.lgamma(runs - number + 1)
            + number * math.log(rate)
            + (runs - number) * math.log1p(-rate)
        )
        for number in range(failures)
    )
    return 1 - sum(chances)
