"""Break: a viewer may do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.management import Management, bearer_of
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.records import Member

TITLE = "a viewer may do everything"
EXPECTED = (
    "test_claiming.py::test_viewer_does_not_claim",
    "test_claiming.py::test_viewer_only_reads*",
)
ABOUT = r"403|RequestRefused|refused"


@replaces(Management, "_member")
def _member(self: Management, request: Request) -> Member:
    """Ask for no role."""
    return self._service.member(bearer_of(request))
