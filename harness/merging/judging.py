"""What is wrong with sessions as a whole: shards that are missing, double or of another collection."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from harness.merging.accounts import same_accounts
from harness.merging.runs import ACCOUNTS_PROPERTY, JUNIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from harness.merging.runs import Run
    from harness.sharding import Share


def runners_of(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the sessions by who ran them, those of each in the order in which they were run."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.runner, []).append(run)
    return {runner: sorted(theirs, key=_began) for runner, theirs in found.items()}


def _began(run: Run) -> tuple[bool, float]:
    began = run.report.began if run.report is not None else None
    return (began is not None, 0.0 if began is None else began.timestamp())


def complaints(runners: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """Say all that is wrong, one line for each.

    :param runners: as :func:`runners_of` returns them.
    """
    for runs in runners.values():
        for run in runs:
            yield from _about_one(run)
    for runner, runs in runners.items():
        known = [run for run in runs if run.report is not None]
        prefix = f"{runner}: " if runner else ""
        if any(run.share is not None for run in known):
            for line in _about_shards(known):
                yield prefix + line
        else:
            for line in _at_once(known):
                yield prefix + line
    if len({run.allure is None for runs in runners.values() for run in runs}) > 1:
        for run in (run for runs in runners.values() for run in runs if run.allure is None):
            yield f"{run.name}: no Allure results in {run.directory}, as the others have"


def _about_one(run: Run) -> Iterator[str]:
    if run.report is None:
        yield f"{run.name}: no {JUNIT} in {run.directory}: nobody knows what it collected"
        return
    for broken in run.report.broken:
        yield f"{run.name}: could not be collected, or failed in itself: {broken}"
    said = run.report.properties.get(ACCOUNTS_PROPERTY)
    if said is not None and not same_accounts(said, run.report.accounts):
        yield f"{run.name}: its session says {said!r}, its report has {run.report.accounts}"


def _about_shards(runs: Sequence[Run]) -> Iterator[str]:
    whole = [run for run in runs if run.share is None]
    if whole:
        yield f"some are shards, and {_names(whole)} {'is' if len(whole) == 1 else 'are'} of all tests"
    shares = {run: run.share for run in runs if run.share is not None}
    numbers = sorted({share.parts for share in shares.values()})
    if len(numbers) > 1:
        listed = ", ".join(f"{share.name} in {run.directory}" for run, share in shares.items())
        yield f"shards of different numbers: {listed}"
        return
    digests = {share.digest: run for run, share in shares.items()}
    if len(digests) > 1:
        yield "shards of different collections: " + "; ".join(
            f"{run.directory} of {share.tests} tests ({share.digest})" for run, share in shares.items()
        )
    by_part: dict[int, list[Run]] = {}
    for run, share in shares.items():
        by_part.setdefault(share.part, []).append(run)
    for part in range(1, numbers[0] + 1):
        if part not in by_part:
            yield f"shard {part}/{numbers[0]} is missing"
    for part, theirs in sorted(by_part.items()):
        yield from _at_once(theirs, f"shard {part}/{numbers[0]} ")
        share = shares[theirs[0]]
        tests = {key for run in theirs if run.report is not None for key in run.report.cases}
        if len(tests) != share.taken + share.own:
            yield (
                f"shard {part}/{numbers[0]} has {share.taken + share.own} tests,"
                f" the reports of {_names(theirs)} have {len(tests)}"
            )
    yield from _in_common(by_part, shares)
    if len(digests) == 1 and len(by_part) == numbers[0]:
        (digest,) = digests
        tests_of_all = shares[digests[digest]].tests
        taken = sum(shares[theirs[0]].taken for theirs in by_part.values())
        if taken != tests_of_all:
            yield f"the shards have {taken} of the {tests_of_all} tests that are shared out"


def _in_common(by_part: Mapping[int, Sequence[Run]], shares: Mapping[Run, Share]) -> Iterator[str]:
    """Tell of tests that two shards had, though they are not about the bench of each."""
    tests = {
        part: {key for run in runs if run.report is not None for key in run.report.cases}
        for part, runs in by_part.items()
    }
    for one, other in combinations(sorted(by_part), 2):
        first, second = shares[by_part[one][0]], shares[by_part[other][0]]
        common = len(tests[one] & tests[other])
        if common > min(first.own, second.own):
            yield f"shards {first.name} and {second.name} have {common} tests in common"


def _at_once(runs: Sequence[Run], what: str = "") -> Iterator[str]:
    """Tell of sessions that cannot be repetitions of each other: they ran at the same time."""
    for one, other in pairwise(runs):
        ended = _ended(one)
        began = other.report.began if other.report is not None else None
        if ended is None or began is None or began.timestamp() < ended:
            yield (
                f"{what}ran twice at once, in {one.directory} and in {other.directory}:"
                " one is not a repetition of the other"
            )


def _ended(run: Run) -> float | None:
    began: datetime | None = run.report.began if run.report is not None else None
    return None if began is None or run.report is None else began.timestamp() + run.report.seconds


def _names(runs: Sequence[Run]) -> str:
    return " and ".join(str(run.directory) for run in runs)
