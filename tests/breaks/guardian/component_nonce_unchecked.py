"""Break: a component takes a certified profile that does not echo its nonce."""

from __future__ import annotations

from harness_guardian.virtual import profile
from tests.breaks.support.patching import existing, sets

TITLE = "a profile that does not echo the nonce is installed"
NOTICED_BY = ("tests/guardian/virtual/test_profile.py::test_what_it_says[*echo the nonce*",)
ABOUT = r"DID NOT RAISE|refus|ask"

checked = existing(profile, "_OWN")

sets(profile, "_OWN", {name: text for name, text in checked.items() if name != "nonce"})
