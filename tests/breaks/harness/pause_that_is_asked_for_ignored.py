"""Break: a client asks on at once when a service wants it to wait."""

from __future__ import annotations

from harness.backends import http
from tests.breaks.support.patching import replaces

TITLE = "a client asks on at once when a service wants it to wait"
NOTICED_BY = ("tests/backends/test_pacing.py::test_refused_for_too_long",)
ABOUT = r"DID NOT RAISE"


@replaces(http, "seconds_of")
def seconds_of(retry_after: str | None) -> float | None:
    """Read no header."""
    return None
