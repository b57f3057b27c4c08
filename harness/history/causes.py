"""What makes tests fail: the fewest causes that explain the failures of many sessions.

A run fails when chance strikes (:data:`BACKGROUND`) or when one of its causes does, each by itself: its test,
its board, the two together, its session, or something that all runs have in common. So a run passes with

    (1 - BACKGROUND) * (1 - rate of its first cause) * (1 - rate of its second cause) * ...

Causes are found one after the other. A candidate's evidence is how many times more probable its runs are with
it than without, as a mean over all rates that it might have (:data:`_RATES`). As long as it is no cause such
a ratio reaches K with a probability of 1/K at most, however few the runs are; so a cause is believed when its
evidence exceeds the number of candidates of its sort, times the number of sorts, divided by :data:`DOUBT`.
What is believed is taken into account before the next one is looked for, and all rates are estimated anew
(expectation maximization); in the end whatever the others explain without it is dropped. The search is done
twice, without and with what all runs have in common, and the better explanation counts, each cause costing
what its threshold is. Where two candidates explain the same failures nearly as well, nobody can tell.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How often a run fails by chance although nothing is wrong.
BACKGROUND: Final = 0.005
#: How probable it may be that anything is called a cause in a history where nothing is one.
DOUBT: Final = 0.05
#: How many times better than its rivals a cause has to explain its failures.
CLEARLY: Final = 20.0
_RATES: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_HIGHEST_RATE: Final = 0.999  # nothing is certain, and a certain cause could not be doubted any more
_ROUNDS: Final = 30


class Run(NamedTuple):
    """One attempt at a test that came to passed or failed.

    :ivar test: the test.
    :ivar board: the board; empty without one, and where a test had several.
    :ivar session: the session.
    :ivar failed: whether it failed.
    :ivar started: when it began, in seconds since the epoch.
    :ivar verdict: who was found to be to blame at the time, which counts for nothing here.
    """

    test: str
    board: str
    session: str
    failed: bool
    started: float
    verdict: str = ""


class Sort(StrEnum):
    """What a cause may be."""

    TEST = "test"
    BOARD = "board"
    PAIR = "pair"
    SESSION = "session"
    ALL = "all"


class Cause(NamedTuple):
    """What may make runs fail.

    :ivar names: which: of a pair the test and the board, of what all have in common nothing.
    """

    sort: Sort
    names: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Believed:
    """A cause that is believed.

    :ivar rate: how often it strikes.
    :ivar rivals: others that explain the same failures nearly as well: then nobody can tell which it is.
    """

    cause: Cause
    rate: float
    rivals: tuple[Cause, ...] = ()


@dataclass(slots=True)
class Causes:
    """What makes some runs fail.

    :ivar believed: in the order in which they were found.
    """

    believed: list[Believed] = field(default_factory=list)

    @property
    def background(self) -> float:
        """How often a run fails by what all have in common, and by chance."""
        common = (each.rate for each in self.believed if each.cause.sort is Sort.ALL)
        return 1 - (1 - BACKGROUND) * math.prod(1 - rate for rate in common)

    def behind(self, run: Run) -> list[Believed]:
        """Return the causes, other than what all runs have in common, that may have made a run fail."""
        mine = set(causes_of(run)) - {Cause(Sort.ALL)}
        return [each for each in self.believed if not mine.isdisjoint((each.cause, *each.rivals))]


def causes_of(run: Run) -> tuple[Cause, ...]:
    """Return what may make a run fail."""
    common = (Cause(Sort.TEST, (run.test,)), Cause(Sort.SESSION, (run.session,)), Cause(Sort.ALL))
    if not run.board:
        return common
    return (*common, Cause(Sort.BOARD, (run.board,)), Cause(Sort.PAIR, (run.test, run.board)))


def find_causes(runs: Iterable[Run]) -> Causes:
    """Return what makes runs fail.

    :param runs: in any order.
    """
    counts = _Counts(runs)
    without, whole = _Search(counts), _Search(counts)
    without.run()
    if whole.believe_if_evident(Cause(Sort.ALL)):
        whole.run()
        if whole.score > without.score:
            return whole.causes
    return without.causes


class _Counts:
    """Which failures and how many passes each cause may have had a part in."""

    def __init__(self, runs: Iterable[Run]) -> None:
        cells = Counter((run.test, run.board, run.session, run.failed) for run in runs)
        self.passes: Counter[Cause] = Counter()
        self.failing: dict[Cause, list[int]] = defaultdict(list)
        self.failures: list[tuple[Cause, ...]] = []
        sizes: Counter[Cause] = Counter()
        for (test, board, session, failed), number in cells.items():
            causes = causes_of(Run(test, board, session, failed, 0.0))
            for cause in causes:
                sizes[cause] += number
            if not failed:
                for cause in causes:
                    self.passes[cause] += number
                continue
            for _ in range(number):
                for cause in causes:
                    self.failing[cause].append(len(self.failures))
                self.failures.append(causes)
        candidates = _told_apart(sizes)
        self._numbers = Counter(cause.sort for cause in candidates)
        # In the order of the runs: where two are equally good the same one comes first in every process.
        self.candidates = tuple(cause for cause in candidates if len(self.failing.get(cause, ())) > 1)

    def threshold(self, cause: Cause) -> float:
        """Return what the logarithm of a candidate's evidence has to exceed."""
        return math.log(self._numbers[cause.sort] * len(self._numbers) / DOUBT)

    def runs(self, cause: Cause) -> int:
        """Return how many runs a cause may have had a part in."""
        return len(self.failing[cause]) + self.passes[cause]


def _told_apart(sizes: Mapping[Cause, int]) -> list[Cause]:
    """Leave out causes that have the very same runs as a simpler one."""
    kept = []
    total = sizes.get(Cause(Sort.ALL), 0)
    for cause, size in sizes.items():
        if cause.sort is Sort.PAIR:
            test, board = cause.names
            if size in {sizes[Cause(Sort.TEST, (test,))], sizes[Cause(Sort.BOARD, (board,))]}:
                continue
        elif cause.sort is Sort.ALL and any(
            size == total for other, size in sizes.items() if other.sort is not Sort.ALL
        ):
            continue
        kept.append(cause)
    return kept


class _Search:
    def __init__(self, counts: _Counts) -> None:
        self.causes = Causes()
        self._counts = counts
        self._survival = [1 - BACKGROUND] * len(counts.failures)

    @property
    def score(self) -> float:
        """How well what is believed explains all runs, less what each cause costs; a logarithm."""
        return sum(math.log1p(-survival) for survival in self._survival) + sum(
            self._counts.passes[each.cause] * math.log1p(-each.rate) - self._counts.threshold(each.cause)
            for each in self.causes.believed
        )

    def believe_if_evident(self, cause: Cause) -> bool:
        """Believe a candidate if its evidence suffices; tell whether it does."""
        evident = cause in self._counts.candidates and self._excess(cause, self._evidence(cause)) > 0
        if evident:
            self._believe(cause, ())
        return evident

    def run(self) -> None:
        """Find the causes that runs do not have all in common."""
        evidence = {
            cause: self._evidence(cause) for cause in self._counts.candidates if cause.sort is not Sort.ALL
        }
        while evidence:
            best = max(evidence, key=lambda cause: self._excess(cause, evidence[cause]))
            if self._excess(best, evidence[best]) <= 0:
                break
            rivals = tuple(self._rivals(best, evidence))
            for done in (best, *rivals):
                del evidence[done]
            for cause in self._believe(best, rivals) & evidence.keys():
                evidence[cause] = self._evidence(cause)
        self._drop_what_others_explain()

    def _drop_what_others_explain(self) -> None:
        for each in list(self.causes.believed):
            failing = self._counts.failing[each.cause]
            for index in failing:
                self._survival[index] /= 1 - each.rate
            if self._excess(each.cause, self._evidence(each.cause)) <= 0:
                self.causes.believed.remove(each)
            self._estimate()

    def _excess(self, cause: Cause, evidence: float) -> float:
        return evidence - self._counts.threshold(cause)

    def _evidence(self, cause: Cause) -> float:
        """Return the logarithm of a candidate's evidence."""
        failures = Counter(self._survival[index] for index in self._counts.failing[cause])
        passes = self._counts.passes[cause]
        logarithms = [
            passes * math.log1p(-rate)
            + sum(
                number * math.log((1 - survival * (1 - rate)) / (1 - survival))
                for survival, number in failures.items()
            )
            for rate in _RATES
        ]
        highest = max(logarithms)
        mean = sum(math.exp(each - highest) for each in logarithms) / len(_RATES)
        return highest + math.log(mean)

    def _rivals(self, best: Cause, evidence: Mapping[Cause, float]) -> Iterable[Cause]:
        """Give what explains the greater part of the same failures nearly as well."""
        mine = set(self._counts.failing[best])
        enough = evidence[best] - math.log(CLEARLY)
        for cause, found in evidence.items():
            shared = mine.intersection(self._counts.failing[cause])
            if cause != best and found > enough and 2 * len(shared) > len(mine):
                yield cause

    def _believe(self, cause: Cause, rivals: tuple[Cause, ...]) -> set[Cause]:
        rate = len(self._counts.failing[cause]) / self._counts.runs(cause)
        self.causes.believed.append(Believed(cause=cause, rate=rate, rivals=rivals))
        return self._estimate()

    def _estimate(self) -> set[Cause]:
        """Estimate all rates anew; return the causes whose failures are explained otherwise now."""
        believed, failures = self.causes.believed, self._counts.failures
        indices = {index for each in believed for index in self._counts.failing[each.cause]}
        together = Counter(
            tuple(number for number, each in enumerate(believed) if each.cause in failures[index])
            for index in indices
        )
        for _ in range(_ROUNDS):
            shares = [0.0] * len(believed)
            for present, times in together.items():
                fails = 1 - _survival(believed[number] for number in present)
                for number in present:
                    shares[number] += times * believed[number].rate / fails
            for each, share in zip(believed, shares, strict=True):
                each.rate = min(share / self._counts.runs(each.cause), _HIGHEST_RATE)
        for index in range(len(failures)):
            self._survival[index] = _survival(each for each in believed if each.cause in failures[index])
        return {cause for index in indices for cause in failures[index]}


def _survival(causes: Iterable[Believed]) -> float:
    """Return how probable it is that none of some causes strikes, nor chance."""
    return (1 - BACKGROUND) * math.prod(1 - each.rate for each in causes)
