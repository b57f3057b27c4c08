"""Break: a device of the team is changed that nobody claimed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.client import NrfCloudClient
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.backends.contract import Change

TITLE = "a device of the team is changed that nobody claimed here"
NOTICED_BY = (
    "tests/nordic/claims/test_untouched.py::test_device_of_the_team_that_nobody_claimed_here*",
    "tests/nordic/claims/test_untouched.py::test_hand_made_request_is_no_way_around",
)
ABOUT = r"DID NOT RAISE"


@replaces(NrfCloudClient, "refuse_foreign")
def refuse_foreign(self: NrfCloudClient, change: Change) -> None:
    """Let everything pass."""
