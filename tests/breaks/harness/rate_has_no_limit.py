"""Break: a service is asked as fast as requests come."""

from __future__ import annotations

from harness.backends.pacing import RateLimit
from tests.breaks.support.patching import replaces

TITLE = "a service is asked as fast as requests come"
NOTICED_BY = ("tests/backends/test_pacing.py::test_no_more_than_the_rate",)
ABOUT = r"burst"


@replaces(RateLimit, "reserve")
def reserve(self: RateLimit) -> float:
    """Let every request through at once."""
    return 0.0
