"""Break: a request without an API key is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import team_calls
from harness_nordic.fake.refusals import NotAuthenticated
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.records import Member

TITLE = "a request without an API key is answered"
EXPECTED = (
    "test_claiming.py::test_without_a_valid_key*None*",
    "test_claiming.py::test_without_a_valid_key*Basic*",
)
ABOUT = r"401"

bearer_before = existing(team_calls, "bearer_of")
member_before = existing(ProvisioningService, "member")


@replaces(team_calls, "bearer_of")
def bearer_of(request: Request) -> str:
    """Take no key for a key."""
    try:
        return str(bearer_before(request))
    except NotAuthenticated:
        return ""


@replaces(ProvisioningService, "member")
def member(self: ProvisioningService, api_key: str) -> Member:
    """Take somebody where nobody says who asks."""
    found: Member = member_before(self, api_key or next(iter(self._members)))
    return found
