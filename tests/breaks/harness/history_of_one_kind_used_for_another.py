"""Break: how long a test takes on one kind of board is taken for what it takes on another."""

from __future__ import annotations

from harness.history.store import History
from tests.breaks.support.patching import existing, replaces

TITLE = "how long a test takes on one kind of board is taken for what it takes on another"
NOTICED_BY = (
    "tests/history/test_store.py::test_durations_are_those_of_one_kind",
    "tests/history/test_store.py::test_durations_follow_a_model",
)
ABOUT = r"history\.expected_seconds\(\"suite\"\) == "


before = existing(History, "expected_seconds")


@replaces(History, "expected_seconds")
def expected_seconds(self: History, project: str) -> dict[str, dict[str, float]]:
    """Give every kind the figure of the first."""
    found = before(self, project)
    return {test: dict.fromkeys(kinds, next(iter(kinds.values()))) for test, kinds in found.items()}
