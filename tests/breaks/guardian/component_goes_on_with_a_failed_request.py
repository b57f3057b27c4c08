"""Break: a component goes on with a request that has failed for good."""

from __future__ import annotations

from harness_guardian.virtual.component import Component
from tests.breaks.support.patching import replaces

TITLE = "a request that has failed for good stays open"
NOTICED_BY = ("tests/guardian/virtual/test_troubles.py::test_failed_for_good[*",)
ABOUT = r"ready"


@replaces(Component, "discard_request")
def discard_request(self: Component) -> None:
    """Keep it."""
