"""Which outcome of a test stands when several sessions of one runner had it: a pure decision.

A repetition may make good what the rig did, and nothing else: a failure that is the product's, the
backend's or the suite's stands, whatever comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.merging.junit import Case, Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A test that more than one session had.

    :ivar key: the test.
    :ivar stands: number of the session whose outcome counts.
    :ivar others: what it came to in the others: number of the session, and its case there.
    """

    key: Key
    stands: int
    others: tuple[tuple[int, Case], ...]


def stands_against(earlier: Case, later: Case) -> bool:
    """Tell whether an earlier outcome stands although the test ran again."""
    if later.outcome == "not run":
        return earlier.outcome != "not run"
    if earlier.outcome == "failed":
        return earlier.verdict != Verdict.RIG
    return earlier.outcome == "passed" and later.outcome == "skipped"


def run_again(sessions: Sequence[Iterable[Case]]) -> list[Again]:
    """Decide for each test that more than one session had which outcome stands.

    :param sessions: the cases of each session, in the order in which the sessions were run.
    """
    found: dict[Key, list[tuple[int, Case]]] = {}
    for number, cases in enumerate(sessions):
        for case in cases:
            found.setdefault(case.key, []).append((number, case))
    decided = []
    for key, attempts in found.items():
        if len(attempts) == 1:
            continue
        standing = attempts[0]
        for attempt in attempts[1:]:
            standing = standing if stands_against(standing[1], attempt[1]) else attempt
        others = tuple(attempt for attempt in attempts if attempt is not standing)
        decided.append(Again(key=key, stands=standing[0], others=others))
    return decided
