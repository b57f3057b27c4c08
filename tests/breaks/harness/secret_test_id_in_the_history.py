"""Break: a secret in a test's id gets into the history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.pytest_plugin.past_attempts import HeardAttempts
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    import pytest

    from harness.history.attempts import Attempt

TITLE = "a secret in a test's id gets into the history"
NOTICED_BY = (
    "tests/pytest_plugin/test_past.py::test_secrets_do_not_get_into_it",
    "tests/pytest_plugin/test_past_attempts.py::test_ids_are_redacted",
)
ABOUT = r"in written|attempt\.test =="


before = existing(HeardAttempts, "add")


@replaces(HeardAttempts, "add")
def add(self: HeardAttempts, report: pytest.TestReport) -> Attempt | None:
    """Put the id back as it was."""
    attempt: Attempt | None = before(self, report)
    return None if attempt is None else replace(attempt, test=report.nodeid)
