"""What a session proved, as distinct (operation, outcome) pairs, and what was expected of it."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.pytest_plugin.markers import PROVES, read_proves_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pytest

    from harness.pytest_plugin.report_records import TestRecord

Pair = tuple[str, str]


def pairs_of(item: pytest.Item) -> list[Pair]:
    """Return the pairs that a test names by ``@pytest.mark.proves(operation, outcome)``, nearest last.

    :raises UsageError: a marker has anything but two texts.
    """
    return [read_proves_mark(mark, item.nodeid) for mark in item.iter_markers(PROVES)][::-1]


def proven_pairs(tests: Iterable[TestRecord]) -> list[Pair]:
    """Return the distinct pairs of the tests that passed, grouped by operation in order of appearance."""
    by_operation: dict[str, dict[str, None]] = {}
    for test in tests:
        if test.outcome == "passed":
            for operation, outcome in test.facts.proves:
                by_operation.setdefault(operation, {})[outcome] = None
    return [
        (operation, outcome)
        for operation in sorted(by_operation)
        for outcome in sorted(by_operation[operation])
    ]


def table_of_pairs(pairs: Sequence[Pair]) -> Iterator[str]:
    """Lay the pairs out in two columns, each operation named once, and count them in the last line."""
    width = max((len(operation) for operation, _ in pairs), default=0)
    shown = None
    for operation, outcome in pairs:
        yield f"{operation if operation != shown else '':<{width}}  {outcome}"
        shown = operation
    yield f"{len(pairs)} distinct (operation, outcome) pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one suite must reach.

    :ivar tests: at least this many tests passed.
    :ivar pairs: at least this many distinct pairs were proven.
    :ivar skipped: at most this many tests were skipped.
    """

    tests: int = 0
    pairs: int = 0
    skipped: int = 0


def read_expected(file: Path) -> dict[str, Expected]:
    """Read expectations by suite: ``[nrfcloud]`` with ``tests``, ``pairs`` and ``skipped``.

    :raises UsageError: the file cannot be read, or holds anything else.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", file=file, key="--expected") from error
    if not data:
        raise UsageError("names no suite", file=file, expected="a table per suite, for example [nrfcloud]")
    return {suite: _expected_of(file, suite, table) for suite, table in data.items()}


def _expected_of(file: Path, suite: str, table: object) -> Expected:
    known = [field.name for field in fields(Expected)]
    if not isinstance(table, dict):
        raise UsageError("not a table", file=file, key=suite, value=table, expected=" and ".join(known))
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
            raise UsageError("unknown key", file=file, key=f"{suite}.{key}", expected=f"{near} (the nearest)")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UsageError(
                "not a count",
                file=file,
                key=f"{suite}.{key}",
                value=value,
                expected="a whole number, 0 or more",
            )
    return Expected(**table)


def of_suites(expected: Mapping[str, Expected], places: Iterable[str]) -> dict[str, Expected]:
    """Leave of what is expected that of the suites which a session was told to run.

    :param expected: by suite.
    :param places: what pytest was told to run: directories, files and tests.
    :return: that of the suites whose directory, or a file in it, is named; all where none of them is.
    """
    paths = [Path(place.partition("::")[0]) for place in places]
    named = {path.parent.name if path.suffix else path.resolve().name for path in paths}
    return {suite: wanted for suite, wanted in expected.items() if suite in named} or dict(expected)


def shortcomings(expected: Mapping[str, Expected], tests: Sequence[TestRecord]) -> list[str]:
    """Say, one line each, in what the tests of each suite fall short of what was expected."""
    lines: list[str] = []
    for suite, wanted in expected.items():
        own = [test for test in tests if test.suite == suite]
        passed = sum(test.outcome == "passed" for test in own)
        skipped = [test for test in own if test.outcome == "skipped"]
        pairs = len(proven_pairs(own))
        if passed < wanted.tests:
            lines.append(
                f"{suite}: {passed} tests passed, {wanted.tests} expected: {wanted.tests - passed} missing"
            )
        if pairs < wanted.pairs:
            lines.append(
                f"{suite}: {pairs} distinct (operation, outcome) pairs proven, {wanted.pairs} expected:"
                f" {wanted.pairs - pairs} missing"
            )
        if len(skipped) > wanted.skipped:
            lines.append(f"{suite}: {len(skipped)} tests skipped, at most {wanted.skipped} expected:")
            lines.extend(f"  {test.nodeid}: {test.reason}" for test in skipped)
    return lines
