"""Break: a test is tried again although no other board could take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.retry_decision import RetryDecision
from tests.breaks.support.patching import replaces

TITLE = "a test is tried again although no other board could take it"
NOTICED_BY = ("tests/pytest_plugin/test_retry.py::test_what_is_not_tried_again[no other board]",)
ABOUT = r"tell\(failure\) == \[.failed.\]"


if TYPE_CHECKING:
    from collections.abc import Callable

before = RetryDecision.is_tried_again


@replaces(RetryDecision, "is_tried_again")
def is_tried_again(
    self: RetryDecision, test: str, *, phase: str, verdict: str | None, elsewhere: Callable[[], bool]
) -> bool:
    """Ask nobody."""
    del elsewhere
    return before(self, test, phase=phase, verdict=verdict, elsewhere=lambda: True)
