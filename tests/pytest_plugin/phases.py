"""Reports of phases of tests, made short."""

from __future__ import annotations

from typing import Any

import pytest

from harness.pytest_plugin.report_records import BoardUsed, TestFacts

TEST = "test_a.py::test_it"
KIT = BoardUsed(id="kit-0", kind="kit", bench="virtual")


def report(when: str, outcome: str = "passed", **changes: Any) -> pytest.TestReport:
    """Return a phase's report; ``verdict`` and ``boards`` are its facts."""
    facts = TestFacts(verdict=changes.pop("verdict", None), boards=changes.pop("boards", [KIT]))
    made = pytest.TestReport(
        nodeid=changes.pop("test", TEST),
        location=("test_a.py", 0, "test_it"),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]  # plugins have more than pytest's three
        longrepr=None,
        when=when,  # type: ignore[arg-type]  # a crash has another one
        duration=changes.pop("duration", 1.0),
        start=changes.pop("start", 10.0),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    facts.put_on(made)
    return made
