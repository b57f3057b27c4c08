"""Break: a shared fixture that hangs between two tests hangs for ever."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin import worker_loop
from harness.pytest_plugin.tearing_down import tear_down_before as right
from tests.breaks.support.patching import replaces

TITLE = "a shared fixture that hangs between two tests hangs for ever"
NOTICED_BY = ("tests/pytest_plugin/test_worker_loop.py::test_a_late_tear_down_that_hangs",)
ABOUT = r"interactor\.reports\[-1\]"


@replaces(worker_loop, "tear_down_before")
def tear_down_before(following: Any, *, last: Any, watch: Any = None) -> Any:
    """Watch nothing."""
    del watch
    return right(following, last=last)
