"""Break: a component takes a certified profile that names another hardware id."""

from __future__ import annotations

from harness_guardian.virtual import profile
from tests.breaks.support.patching import existing, sets

TITLE = "a profile for another hardware id is installed"
NOTICED_BY = ("tests/guardian/virtual/test_profile.py::test_what_it_says[*another hardware id*",)
ABOUT = r"DID NOT RAISE|refus|ask"

checked = existing(profile, "_OWN")

sets(profile, "_OWN", {name: text for name, text in checked.items() if name != "hw_id"})
