"""Break: what the product does wrong after the rig failed is tried again with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.retry_decision import RetryDecision
from tests.breaks.support.patching import replaces

TITLE = "what the product does wrong after the rig failed is tried again with it"
NOTICED_BY = ("tests/pytest_plugin/test_retry.py::test_what_counts_after_all_takes_the_rest_with_it",)
ABOUT = r"tell\(teardown\) == \[.failed.\]"


if TYPE_CHECKING:
    from collections.abc import Callable

before = RetryDecision.is_tried_again


@replaces(RetryDecision, "is_tried_again")
def is_tried_again(
    self: RetryDecision, test: str, *, phase: str, verdict: str | None, elsewhere: Callable[[], bool]
) -> bool:
    """Keep to what was decided about the first failure of a try."""
    tries = self._tests.get(test)
    return (tries is not None and tries.again) or before(
        self, test, phase=phase, verdict=verdict, elsewhere=elsewhere
    )
