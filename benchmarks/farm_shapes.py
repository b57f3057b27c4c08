"""Farms of eight boards with tests that only sleep, and the least time that anybody could need for them.

A duration is what the test sleeps, so the bound is known exactly and does not depend on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SEED = 20
SHORTEST, LONGEST = 0.02, 2.0

K151, K160, K161, K91X = "nrf9151dk-virtual", "nrf9160dk-virtual", "nrf9161dk-virtual", "thingy91x-virtual"
#: The kinds whose boards have an agent of their own: what tests ask for that fit several kinds.
WITH_AGENT = frozenset({K151, K161, K91X})
EVERY = frozenset({K151, K160, K161, K91X})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What some tests need, as their marker says it and as it comes out on these farms.

    :ivar marker: the arguments of the marker ``board``.
    :ivar kinds: the kinds that fit.
    :ivar count: how many boards a test takes at once.
    """

    marker: Mapping[str, Any]
    kinds: frozenset[str]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Sleeper:
    """One test.

    :ivar seconds: how long it sleeps.
    """

    need: Need
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A farm and its tests.

    :ivar boards: how many boards of each kind there are.
    :ivar tests: in the order in which they are collected.
    :ivar target: what the time from first start to last end may be, in bounds.
    """

    name: str
    boards: Mapping[str, int]
    tests: Sequence[Sleeper] = field(repr=False)
    target: float

    @property
    def bound(self) -> float:
        """The longest test, or what fits only some kinds shared by all boards of these, whichever is more."""
        longest = max(test.seconds for test in self.tests)
        return max(longest, *(self._least(frozenset(kinds)) for kinds in _subsets(sorted(self.boards))))

    def _least(self, kinds: frozenset[str]) -> float:
        work = sum(test.seconds * test.need.count for test in self.tests if test.need.kinds <= kinds)
        return work / sum(self.boards[kind] for kind in kinds)


def _subsets(kinds: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(kinds) + 1):
        yield from combinations(kinds, size)


def four_kinds() -> Shape:
    """Eight boards of four kinds, 200 tests, 65.9 s of sleep: testbed fact sheet, section 3."""
    return _shape(
        name="four kinds",
        boards={K151: 3, K160: 2, K161: 2, K91X: 1},
        groups=[
            (_of_kind(K151), 76, 24.8),
            (_of_kind(K160), 50, 16.62),
            (_of_kind(K161), 49, 16.4),
            (_of_kind(K91X), 25, 8.08),
        ],
        target=1.05,
    )


def scarce_kinds() -> Shape:
    """Two kinds of one board, tests that fit several kinds, and tests that take several boards at once."""
    agent = {"needs": {"provisioning-agent"}}
    return _shape(
        name="scarce kinds and several boards",
        boards={K151: 4, K160: 2, K161: 1, K91X: 1},
        groups=[
            (_of_kind(K151), 40, 14.0),
            (_of_kind(K160), 22, 7.5),
            (_of_kind(K161), 18, 6.9),
            (_of_kind(K91X), 16, 6.2),
            (Need(marker=agent, kinds=WITH_AGENT), 38, 12.6),
            (Need(marker={"driver": "nrf91"}, kinds=EVERY), 20, 5.2),
            (Need(marker={"kind": K151, "count": 2}, kinds=frozenset({K151}), count=2), 6, 2.2),
            (Need(marker={"kind": K160, "count": 2}, kinds=frozenset({K160}), count=2), 4, 1.4),
            (Need(marker={**agent, "count": 3}, kinds=WITH_AGENT, count=3), 4, 1.1),
            (Need(marker={"driver": "nrf91", "count": 4}, kinds=EVERY, count=4), 2, 0.5),
        ],
        target=1.10,
    )


def _of_kind(kind: str) -> Need:
    return Need(marker={"kind": kind}, kinds=frozenset({kind}))


def _shape(
    *, name: str, boards: Mapping[str, int], groups: Sequence[tuple[Need, int, float]], target: float
) -> Shape:
    """Make the tests of some groups, each of a number of tests that sleep so long together."""
    random = Random(SEED)  # noqa: S311 - to be repeatable is the point
    tests = []
    for need, number, together in groups:
        lengths = [min(max(random.lognormvariate(0, 0.8), 0.1), 6.0) for _ in range(number)]
        scale = together / sum(lengths)
        lengths = [round(min(max(length * scale, SHORTEST), LONGEST), 3) for length in lengths]
        lengths[-1] = round(lengths[-1] + together - sum(lengths), 3)
        assert SHORTEST / 2 < lengths[-1] <= LONGEST, (need, lengths)
        tests += [Sleeper(need, length) for length in lengths]
    random.shuffle(tests)
    return Shape(name=name, boards=boards, tests=tests, target=target)


SHAPES = (four_kinds, scarce_kinds)
