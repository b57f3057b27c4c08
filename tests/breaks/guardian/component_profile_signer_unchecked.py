"""Break: of a certified profile's signature only the name of the key is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import jws
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.virtual.jws import ReadJws
    from harness_guardian.virtual.keys import PublicKey

TITLE = "a profile of another key in the name of the pinned one is installed"
NOTICED_BY = (
    "tests/guardian/virtual/test_profile.py::test_signed_in_the_name_of_the_pinned_key",
    "tests/guardian/virtual/test_profile.py::test_changed_on_the_way",
)
ABOUT = r"DID NOT RAISE|refus|ask"


@replaces(jws, "verifies")
def verifies(read: ReadJws, key: PublicKey) -> bool:
    """Look at the length only."""
    return bool(read.signature)
