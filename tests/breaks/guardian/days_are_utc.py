"""Break: days of the filter are those of UTC, whatever zone a user has."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

from harness_guardian.fake import filtering
from tests.breaks.support.patching import replaces

TITLE = "days of the filter are those of UTC, whatever zone a user has"
EXPECTED = ("test_filters.py::test_days_of_the_zone",)
ABOUT = r"ward"


@replaces(filtering, "local_day")
def local_day(moment: float, zone: tzinfo) -> date:
    """Know one zone."""
    del zone
    return datetime.fromtimestamp(moment, UTC).date()
