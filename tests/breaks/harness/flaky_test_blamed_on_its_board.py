"""Break: the more often tests fail on a board, the flakier it is, whoever is to blame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history import flakiness
from harness.history.causes import Believed, Cause, Causes, Sort
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.causes import Run

TITLE = "the more often tests fail on a board, the flakier it is, whoever is to blame"
NOTICED_BY = ("tests/history/test_flakiness.py::test_flaky_test_and_flaky_board_are_told_apart",)
ABOUT = r"said\[frozenset"


@replaces(flakiness, "find_causes")
def find_causes(runs: Iterable[Run]) -> Causes:
    """Compare rates of failures, each by itself."""
    failed: dict[Cause, list[bool]] = {}
    for run in runs:
        for cause in (Cause(Sort.TEST, (run.test,)), Cause(Sort.BOARD, (run.board,))):
            failed.setdefault(cause, []).append(run.failed)
    rates = {cause: sum(each) / len(each) for cause, each in failed.items()}
    return Causes([Believed(cause=cause, rate=rate) for cause, rate in rates.items() if rate > 0.1])
