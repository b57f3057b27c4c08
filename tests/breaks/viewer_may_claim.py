"""Break: a viewer may claim, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.team_calls import TeamCalls, bearer_of
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.records import Member

TITLE = "a viewer may claim"
EXPECTED = (
    "test_claiming.py::test_viewer_does_not_claim",
    "test_roles.py::test_viewer_changes_nothing[claim]",
    "test_roles.py::test_viewer_changes_nothing[bulk claim]",
)
ABOUT = r"403|RequestRefused|refused"

before = existing(TeamCalls, "_member")


@replaces(TeamCalls, "_member")
def _member(self: TeamCalls, request: Request) -> Member:
    """Ask for no role at the door where devices are claimed."""
    if request.url.path.endswith("/claimed-devices"):
        return self._service.member(bearer_of(request))
    member: Member = before(self, request)
    return member
