"""Break: dates are shown in UTC, whatever zone somebody wants to see."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from harness_guardian.fake import dates
from tests.breaks.support.patching import replaces

TITLE = "dates are shown in UTC, whatever zone somebody wants to see"
NOTICED_BY = (
    "tests/guardian/fake/test_dates.py::test_both_toggles*New_York*",
    "tests/guardian/fake/test_dates.py::test_days_by_offset",
)
ABOUT = r"Nov 2026|2026-11|moved"


@replaces(dates, "_at")
def at(moment: float, zone: tzinfo) -> datetime:
    """Know one zone."""
    del zone
    return datetime.fromtimestamp(moment, UTC)
