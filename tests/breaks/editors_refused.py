"""Break: an editor may not claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import Role
from harness_nordic.fake.refusals import NotAllowed
from harness_nordic.fake.team_calls import TeamCalls
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.records import Member

TITLE = "an editor may not claim"
EXPECTED = ("test_claiming.py::test_roles_that_may_claim*editor*",)
ABOUT = r"202"

before = existing(TeamCalls, "_member")


@replaces(TeamCalls, "_member")
def _member(self: TeamCalls, request: Request) -> Member:
    """Let only owners and admins write."""
    member: Member = before(self, request)
    if member.role is Role.EDITOR and request.method != "GET":
        raise NotAllowed("an editor may read and nothing else")
    return member
