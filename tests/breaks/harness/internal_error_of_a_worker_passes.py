"""Break: a session passes although a worker ended by an internal error behind its last test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.internal_errors import InternalErrorsOfWorkers
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

TITLE = "a session passes although a worker ended by an internal error behind its last test"
NOTICED_BY = ("tests/pytest_plugin/test_internal_errors.py::test_behind_the_last_test",)
ABOUT = r"result\.code == 1"


@replaces(InternalErrorsOfWorkers, "pytest_sessionfinish")
def pytest_sessionfinish(self: InternalErrorsOfWorkers, session: pytest.Session) -> None:
    """Let it pass."""
