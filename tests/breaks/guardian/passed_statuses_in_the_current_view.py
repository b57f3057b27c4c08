"""Break: the current view shows every status that devices moved through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.fake import filtering, request_calls
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TITLE = "the current view shows every status that devices moved through"
EXPECTED = (
    "test_filters.py::test_each_passed_status_is_a_row",
    "test_filters.py::test_pages",
)
ABOUT = r"status|total|rows"


_rows = filtering.rows


@replaces(request_calls, "rows")
def rows(
    wanted: filtering.Filter, requests: Iterable[filtering.Request], *, all_passed: bool = True
) -> Iterator[filtering.Row[filtering.Request]]:
    """Show the history always."""
    return _rows(replace(wanted, view=filtering.View.HISTORY), requests, all_passed=all_passed)
