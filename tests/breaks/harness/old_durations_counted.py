"""Break: how long a test took first is how long it is expected to take for ever."""

from __future__ import annotations

from harness.history import store
from tests.breaks.support.patching import existing, sets

TITLE = "how long a test took first is how long it is expected to take for ever"
NOTICED_BY = ("tests/history/test_store.py::test_duration_is_the_median_of_the_last_that_passed",)
ABOUT = r"history\.expected_seconds\(\"suite\"\) == "

query: str = existing(store, "_RECENT_SECONDS")
sets(store, "_RECENT_SECONDS", query.replace("started DESC", "started"))
