"""Attempts for tests, made short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.history.attempts import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.store import History


def attempt(test: str = "test_a.py::test_it", **changes: Any) -> Attempt:
    """Return an attempt that passed in a second, with changes."""
    data: dict[str, Any] = {
        "session": "run",
        "project": "suite",
        "test": test,
        "kind": "kit",
        "board": "kit-0",
        "outcome": "passed",
        "seconds": 1.0,
        "started": 100.0,
    }
    return Attempt(**{**data, **changes})


def record(history: History, attempts: Iterable[Attempt], *, began: float = 50.0) -> None:
    """Record attempts, each in its session."""
    sessions: dict[str, Any] = {}
    for each in attempts:
        if each.session not in sessions:
            sessions[each.session] = history.begin(each.session, began)
        sessions[each.session].record(each)
