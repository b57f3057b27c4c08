"""Break: the toggle shows what is, and not what was passed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.fake import queries, request_calls
from harness_guardian.fake.filtering import Filter, View
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TITLE = "the toggle shows what is, and not what was passed"
EXPECTED = (
    "test_filters.py::test_all_statuses",
    "test_filters.py::test_each_passed_status_is_a_row",
)
ABOUT = r"ward|status|rows"


_read = queries.read_filter


@replaces(request_calls, "read_filter")
def read_filter(parameters: Mapping[str, Sequence[str]]) -> Filter:
    """Read everything but the toggle."""
    wanted = _read(parameters)
    return replace(wanted, view=View.CURRENT, statuses=wanted.statuses)
