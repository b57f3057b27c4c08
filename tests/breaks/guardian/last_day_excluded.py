"""Break: a range of days ends before its last day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Status
from harness_guardian.fake.dates import local_day
from harness_guardian.fake.filtering import Filter
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.filtering import Filterable

TITLE = "a range of days ends before its last day"
NOTICED_BY = (
    "tests/guardian/fake/test_filtering.py::test_last_day_is_whole",
    "tests/guardian/fake/test_lists_api.py::test_days_of_the_display[2026-11-21-2026-11-21-None-1]",
)
ABOUT = r"provisioned_to|count"


@replaces(Filter, "_was_provisioned_then")
def was_provisioned_then(self: Filter, request: Filterable) -> bool:
    """Take the last day for the first one that is out."""
    days = [local_day(one.at, self.zone) for one in request.history if one.status is Status.PROVISIONED]
    first, last = self.provisioned_from, self.provisioned_to
    return any((first is None or first <= day) and (last is None or day < last) for day in days)
