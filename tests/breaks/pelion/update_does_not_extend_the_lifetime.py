"""Break: an update of a registration is answered, and changes nothing."""

from __future__ import annotations

from harness_pelion.fake.lifetimes import Lifetimes
from tests.breaks.support.patching import existing, replaces

TITLE = "an update does not extend a registration's lifetime"
EXPECTED = ("test_registration.py::test_update_keeps_it",)
ABOUT = r"REGISTERED"

before = existing(Lifetimes, "start")


@replaces(Lifetimes, "start")
def start(self: Lifetimes, name: str, account_id: str, seconds: int) -> None:
    """Let what lives live as long as it was to."""
    if name not in self._lives:
        before(self, name, account_id, seconds)
