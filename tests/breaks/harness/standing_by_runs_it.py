"""Break: a worker that is only to free its board runs the test as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.turns import Turns
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.work import Assignment

TITLE = "a worker that is only to free its board runs the test as well"
NOTICED_BY = ("tests/pytest_plugin/test_worker_loop.py::test_several_boards",)
ABOUT = r"worker\.lent == "


@replaces(Turns, "told")
def told(self: Turns, worker: str, turn: int) -> Assignment | None:
    """Read nothing."""
    del worker, turn
    return None
