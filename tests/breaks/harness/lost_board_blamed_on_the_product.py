"""Break: what a cable did is blamed on the product."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin.unrun import UnrunReports
from harness.verdicts import Verdict
from tests.breaks.support.patching import existing, replaces

TITLE = "what a cable did is blamed on the product"
NOTICED_BY = ("tests/hotplug/test_six_boards.py::test_every_test_ran_once_or_is_reported[0]",)
ABOUT = r'"rig"'


before = existing(UnrunReports, "fail")


@replaces(UnrunReports, "fail")
def fail(self: UnrunReports, test: str, reason: str, verdict: Any, boards: Any = ()) -> None:
    """Blame the product."""
    before(self, test, reason, Verdict.PRODUCT, boards)
