"""Break: a test that was skipped counts as one that passed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.history import flakiness
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.attempts import Attempt
    from harness.history.causes import Run

TITLE = "a test that was skipped counts as one that passed"
NOTICED_BY = (
    "tests/history/test_flakiness.py::test_skipped_tests_are_not_fine",
    "tests/history/test_flakiness.py::test_what_does_not_count",
)
ABOUT = r"judge_history\(.*\)\.tests == \(\)|for run in runs"


before = existing(flakiness, "runs_of")


@replaces(flakiness, "runs_of")
def runs_of(attempts: Iterable[Attempt]) -> list[Run]:
    """Take them for passed."""
    seen = [replace(each, outcome="passed") if each.outcome == "skipped" else each for each in attempts]
    runs: list[Run] = before(seen)
    return runs
