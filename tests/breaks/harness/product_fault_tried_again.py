"""Break: a test is tried again whoever is to blame for its failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.retry_decision import RetryDecision
from harness.verdicts import Verdict
from tests.breaks.support.patching import replaces

TITLE = "a test is tried again whoever is to blame for its failure"
NOTICED_BY = ("tests/pytest_plugin/test_retry_decision.py::test_whoever_else_is_to_blame*",)
ABOUT = r"try_once\(RetryDecision\(9\), \[wrong\]\)"


if TYPE_CHECKING:
    from collections.abc import Callable

before = RetryDecision.is_tried_again


@replaces(RetryDecision, "is_tried_again")
def is_tried_again(
    self: RetryDecision, test: str, *, phase: str, verdict: str | None, elsewhere: Callable[[], bool]
) -> bool:
    """Blame the rig for everything."""
    del verdict
    return before(self, test, phase=phase, verdict=str(Verdict.RIG), elsewhere=elsewhere)
