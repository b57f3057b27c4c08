"""Break: a shared fixture that fails between two tests is reported on nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.tearing_down import tear_down_before as take_down
from harness.pytest_plugin.worker_loop import WorkerLoop
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

TITLE = "a shared fixture that fails between two tests is reported on nobody"
NOTICED_BY = (
    "tests/pytest_plugin/test_worker_loop.py::test_a_late_tear_down_that_fails[another-module]",
    "tests/pytest_plugin/test_worker_loop.py::test_a_late_tear_down_that_fails[the-end]",
)
ABOUT = r"worker\.interactor\.reports"


@replaces(WorkerLoop, "_tear_down_before")
def tear_down_before(self: WorkerLoop, following: pytest.Item | None) -> None:
    """Take it down, and look no further."""
    if self._last is not None:
        take_down(following, last=self._items[self._last])
