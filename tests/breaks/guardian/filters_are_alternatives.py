"""Break: a device is shown when it fits one of several filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.filtering import Filter, Filterable
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "a device is shown when it fits one of several filters"
EXPECTED = (
    "test_filters.py::test_filters[instance and component]",
    "test_filters.py::test_filters[component and status]",
    "test_filters.py::test_filters[three filters]",
    "test_filters.py::test_filters[nobody fits both]",
    "test_filters.py::test_history_and_another_filter",
)
ABOUT = r"ward|found"


@replaces(Filter, "predicate")
def predicate(self: Filter) -> Callable[[Filterable], bool]:
    """Combine by OR what is to be combined by AND; the system is left to whoever lists it."""
    checks = self._checks()[1:] or self._checks()
    return lambda request: any(check(request) for check in checks)
