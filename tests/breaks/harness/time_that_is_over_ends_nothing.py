"""Break: tests begin although the time of the session is over."""

from __future__ import annotations

from harness.pytest_plugin.one_process import OneProcess
from tests.breaks.support.patching import replaces

TITLE = "tests begin although the time of the session is over"
NOTICED_BY = ("tests/pytest_plugin/test_max_runtime.py::test_in_one_process",)
ABOUT = r"result\.code == 1|must not begin"


@replaces(OneProcess, "end")
def end(self: OneProcess) -> None:
    """Go on."""
