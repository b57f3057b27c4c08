"""Break: of several values of a filter only one counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import queries, request_calls
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.fake.filtering import Filter

TITLE = "of several values of a filter only one counts"
EXPECTED = (
    "test_filters.py::test_filters[several instances]",
    "test_filters.py::test_filters[several components]",
    "test_filters.py::test_filters[several statuses]",
)
ABOUT = r"ward|found"


_read = queries.read_filter


@replaces(request_calls, "read_filter")
def read_filter(parameters: Mapping[str, Sequence[str]]) -> Filter:
    """Read the first value of each."""
    return _read({name: values[:1] for name, values in parameters.items()})
