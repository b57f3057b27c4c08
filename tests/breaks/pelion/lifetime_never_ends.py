"""Break: a registration that nobody updates lives for ever."""

from __future__ import annotations

from harness_pelion.fake.lifetimes import Lifetimes
from tests.breaks.support.patching import replaces

TITLE = "a registration that nobody updates lives for ever"
EXPECTED = ("test_registration.py::test_lifetime_ends",)
ABOUT = r"DEREGISTERED"


@replaces(Lifetimes, "_look")
def _look(self: Lifetimes, name: str) -> None:
    """Look away."""
