"""Break: a viewer may do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.team_calls import TeamCalls, bearer_of
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.records import Member

TITLE = "a viewer may do everything"
EXPECTED = (
    "test_claiming.py::test_viewer_does_not_claim",
    "test_claiming.py::test_viewer_only_reads*",
    "test_roles.py::test_viewer_changes_nothing*",
    "test_roles.py::test_viewers_command_never_reaches_the_board",
)
ABOUT = r"403|RequestRefused|refused"


@replaces(TeamCalls, "_member")
def _member(self: TeamCalls, request: Request) -> Member:
    """Ask for no role."""
    return self._service.member(bearer_of(request))
