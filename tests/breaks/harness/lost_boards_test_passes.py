"""Break: a test passes although its board went away while it ran."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin.absence import Absences
from tests.breaks.support.patching import replaces

TITLE = "a test passes although its board went away while it ran"
NOTICED_BY = ("tests/hotplug/test_six_boards.py::test_every_test_ran_once_or_is_reported[0]",)
ABOUT = r"dict\(ends\) == expected"


@replaces(Absences, "wait_for")
def wait_for(self: Absences, board: Any, plugins: Any, *, began_with: Any) -> None:
    """Look at nothing."""
