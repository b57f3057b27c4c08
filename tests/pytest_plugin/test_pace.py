"""From the first start to the last end, beside what no order could beat."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.inventory.board import Board
from harness.pytest_plugin.pace import Pace, Stopwatch, pace_of
from harness.pytest_plugin.report_records import FINAL_ATTRIBUTE
from harness.pytest_plugin.unrun import UNRUN_ATTRIBUTE
from harness.scheduling.work import Work
from tests.pytest_plugin.phases import report

BOTH = frozenset({"a", "b"})


def stopwatch(work: dict[str, Work] | None = None) -> Stopwatch:
    """Return one of a session with two boards."""
    boards = tuple(Board(id=name, kind="kit", driver="d") for name in sorted(BOTH))
    session = cast("Any", SimpleNamespace(boards=boards))
    return Stopwatch(session, None if work is None else lambda: work)


def phase(test: str, start: float, stop: float, **attributes: Any) -> pytest.TestReport:
    """Return the report of one phase."""
    made = report("call", test=test, start=start, duration=stop - start, **attributes)
    made.stop = stop
    return made


def test_pace_with_workers() -> None:
    """Six seconds of tests on two boards take three at least; they took four."""
    watch = stopwatch({name: Work(boards=BOTH) for name in ("t0", "t1", "never run")})
    for each in (phase("t0", 12.0, 14.0), phase("t1", 10.0, 12.0), phase("t0", 10.0, 12.0)):
        watch.pytest_runtest_logreport(each)

    assert watch.read() == Pace(seconds=4.0, bound=4.0)  # t0 took four, and nobody can cut it in two


def test_longest_work_of_all_boards() -> None:
    """Where no test is long it is the sum of all that counts."""
    watch = stopwatch({f"t{n}": Work(boards=BOTH) for n in range(6)})
    for n in range(6):
        watch.pytest_runtest_logreport(phase(f"t{n}", 10.0 + n, 11.0 + n))

    pace = watch.read()

    assert pace == Pace(seconds=6.0, bound=3.0)
    assert str(pace) == "first start to last end 6.0 s, 2.00 x the bound"


def test_one_process_has_no_bound() -> None:
    """It runs one test after the other: there is nothing to beat."""
    watch = stopwatch()
    watch.pytest_runtest_logreport(phase("t0", 10.0, 12.5))

    assert str(watch.read()) == "first start to last end 2.5 s"


def test_what_took_no_time() -> None:
    """Tests that did not run, failures that are told again, and crashes that nobody timed do not count."""
    watch = stopwatch({"t0": Work(boards=BOTH)})
    for each in (
        phase("t0", 1.0, 9.0, **{UNRUN_ATTRIBUTE: True}),
        phase("t0", 1.0, 9.0, **{FINAL_ATTRIBUTE: True}),
        phase("t0", 0.0, 0.0),
    ):
        watch.pytest_runtest_logreport(each)

    assert watch.read() is None


def test_subtests() -> None:
    """The time of a part is in that of its test."""
    watch = stopwatch({"t0": Work(boards=BOTH)})
    for each in (phase("t0", 11.0, 12.0, context=object()), phase("t0", 10.0, 13.0)):
        watch.pytest_runtest_logreport(each)

    assert watch.read() == Pace(seconds=3.0, bound=3.0)


def test_session_that_runs_nothing() -> None:
    """Without a stopwatch there is no pace."""
    assert pace_of(cast("Any", SimpleNamespace(stash=pytest.Stash()))) is None
