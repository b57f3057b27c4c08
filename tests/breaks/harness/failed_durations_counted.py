"""Break: attempts that failed count for how long a test takes."""

from __future__ import annotations

from harness.history import store
from tests.breaks.support.patching import existing, sets

TITLE = "attempts that failed count for how long a test takes"
NOTICED_BY = (
    "tests/history/test_store.py::test_duration_is_the_median_of_the_last_that_passed",
    "tests/history/test_store.py::test_durations_follow_a_model",
)
ABOUT = r"history\.expected_seconds\(\"suite\"\) == "

query: str = existing(store, "_RECENT_SECONDS")
sets(store, "_RECENT_SECONDS", query.replace("outcome = 'passed'", "outcome <> 'skipped'"))
