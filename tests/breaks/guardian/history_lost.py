"""Break: a request's history is where it is now, and nothing before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.fake import request_calls
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.records import HistoryEntry

TITLE = "a request's history is where it is now, and nothing before"
EXPECTED = (
    "test_automatic.py::test_initial[jws]",
    "test_manual.py::test_reprovision[cose]",
    # the shared check alone looks at the history here:
    "test_automatic.py::test_columns",
)
ABOUT = r"passed|history"

before = existing(request_calls, "history_json")


@replaces(request_calls, "history_json")
def history_json(entries: Iterable[HistoryEntry], choices: Choices) -> list[dict[str, Any]]:
    """Keep the last state."""
    kept: list[dict[str, Any]] = before(entries, choices)
    return kept[-1:]
