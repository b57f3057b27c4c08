"""Break: a worker that dies while it takes down what a test shared leaves that test passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.sendings import Sendings
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.pytest_plugin.sendings import WorkerController

TITLE = "a worker that dies while it takes down what a test shared leaves that test passed"
NOTICED_BY = ("tests/pytest_plugin/test_scheduler.py::test_a_worker_that_dies_after_a_test*",)
ABOUT = r"remove_node\(node\) == .t2."


@replaces(Sendings, "died_taking_down")
def died_taking_down(self: Sendings, node: WorkerController) -> int | None:
    """Look at what it held only."""
    del node
    return None
