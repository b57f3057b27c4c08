"""Shapes of farms of any size, with tests that last as long as those of our own suites."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.sim_world import Events
from harness.scheduling.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SEED = 6
RATIO = {"k151": 3, "k160": 2, "k161": 2, "k91x": 1}
#: Boards of each scarce kind: one in so many.
SCARCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run.

    :ivar work: the tests, with what is expected of them.
    :ivar kinds: the kind of each board.
    :ivar seconds: how long a test really takes.
    :ivar target: what the makespan may be, in bounds; ``None`` where things happen that no bound knows of.
    """

    work: Sequence[Work]
    kinds: Mapping[str, str]
    seconds: Sequence[float]
    events: Events
    fits: Callable[[int, str], bool]
    target: float | None


def durations(number: int, random: Random) -> list[float]:
    """Draw durations as they were measured."""
    percentiles: list[float] = tomllib.loads((Path(__file__).parent / "durations.toml").read_text())[
        "seconds"
    ]
    drawn = []
    for _ in range(number):
        at = random.random() * (len(percentiles) - 1)
        low = int(at)
        drawn.append(percentiles[low] + (at - low) * (percentiles[low + 1] - percentiles[low]))
    return drawn


def make(shape: str, boards: int, tests: int) -> Case:
    """Make a run.

    :param shape: one of :data:`SHAPES`.
    """
    random = Random(f"{SEED} {shape} {boards} {tests}")  # noqa: S311 - to be repeatable is the point
    kinds = _boards(boards, scarce=SHAPES[shape].scarce)
    names = sorted(set(kinds.values()))
    number_of = {name: sum(kind == name for kind in kinds.values()) for name in names}
    sets: dict[frozenset[str], frozenset[str]] = {}

    def fitting(wanted: frozenset[str]) -> frozenset[str]:
        if wanted not in sets:
            sets[wanted] = frozenset(board for board, kind in kinds.items() if kind in wanted)
        return sets[wanted]

    own = random.choices(names, [number_of[name] for name in names], k=tests)
    several = [frozenset(names), frozenset(names[:2]), frozenset(names[1:3]), frozenset(names[-2:])]
    seconds = durations(tests, random)
    work = []
    for index in range(tests):
        wanted, count = frozenset({own[index]}), 1
        if random.random() < SHAPES[shape].flexible:
            wanted = random.choice(several)
        if random.random() < SHAPES[shape].multi:
            count = min(random.choice((2, 2, 3, 4)), len(fitting(wanted)))
        guess = seconds[index] * random.uniform(1 - SHAPES[shape].error, 1 + SHAPES[shape].error)
        work.append(Work(boards=fitting(wanted), count=count, seconds=guess))
    wanted_of = {boards_: wanted for wanted, boards_ in sets.items()}
    return Case(
        work=work,
        kinds=kinds,
        seconds=seconds,
        events=_events(kinds, sum(seconds) / boards, random) if SHAPES[shape].trouble else Events(),
        fits=lambda index, kind: kind in wanted_of[work[index].boards or frozenset()],
        target=SHAPES[shape].target,
    )


def _boards(number: int, *, scarce: bool) -> dict[str, str]:
    kinds: dict[str, str] = {}
    if scarce:
        for name in ("scarce1", "scarce2"):
            kinds.update({f"{name}-{at}": name for at in range(max(1, number // SCARCE))})
    wheel = [name for name, share in RATIO.items() for _ in range(share)]
    while len(kinds) < number:
        name = wheel[len(kinds) % len(wheel)]
        kinds[f"{name}-{len(kinds)}"] = name
    return kinds


def _events(kinds: Mapping[str, str], length: float, random: Random) -> Events:
    """Let one board in ten lose its worker, one in twenty go for a while, and one in a hundred more come."""
    boards = list(kinds)

    def some(share: int) -> list[str]:
        return random.sample(boards, max(1, len(boards) // share))

    return Events(
        crashes=[(random.uniform(0, length), board) for board in some(10)],
        losses=[(random.uniform(0, length * 0.8), board, random.uniform(1, 10)) for board in some(20)],
        arrivals=[
            (random.uniform(0, length / 2), f"late-{at}", kinds[board])
            for at, board in enumerate(some(max(100, len(boards) // 10)))
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What makes a farm.

    :ivar flexible: the share of tests that fit several kinds.
    :ivar scarce: whether there are two kinds of few boards.
    :ivar multi: the share of tests that take several boards.
    :ivar error: how far what is expected of a test may be off.
    :ivar trouble: whether workers crash, and boards go, return and come late.
    """

    target: float | None
    flexible: float = 0.0
    scarce: bool = False
    multi: float = 0.0
    error: float = 0.0
    trouble: bool = False


SHAPES: Mapping[str, Shape] = {
    "four kinds": Shape(target=1.05),
    "flexible": Shape(target=1.05, flexible=0.3, error=0.1),
    "scarce and several": Shape(target=1.10, flexible=0.3, scarce=True, multi=0.05, error=0.1),
    "trouble": Shape(target=None, flexible=0.3, scarce=True, multi=0.05, error=0.3, trouble=True),
}
