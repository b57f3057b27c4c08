"""Break: the history view shows and filters what the current one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import filtering
from harness_guardian.fake.filtering import Row
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness_guardian.fake.filtering import Filter, Request

TITLE = "the history view shows and filters what the current one does"
NOTICED_BY = (
    "tests/guardian/fake/test_filtering.py::test_history_view_makes_every_passed_status_a_row",
    "tests/guardian/fake/test_lists_api.py::test_history_rows",
)
ABOUT = r"auto_approved|AUTO_APPROVED|verifying"


@replaces(filtering, "rows")
def rows(wanted: Filter, requests: Iterable[Request], *, all_passed: bool = True) -> Iterator[Row[Request]]:
    """Show what each request is now."""
    del all_passed
    for request in requests:
        if wanted.predicate()(request):
            yield Row(request, request.history[-1], len(request.history) - 1)
