"""Break: a worker begins a test only when it knows the next one."""

from __future__ import annotations

from harness.pytest_plugin.xdist_session import XdistWorker
from tests.breaks.support.patching import existing, replaces

TITLE = "a worker begins a test only when it knows the next one"
NOTICED_BY = ("tests/pytest_plugin/test_worker_loop.py::test_a_test_begins_before_the_next_one_is_known",)
ABOUT = r"worker\.run\(\) == "

before = existing(XdistWorker, "next")


@replaces(XdistWorker, "next")
def next_test(self: XdistWorker) -> int | None:
    """Look at the one after it first, and take its absence for the end."""
    index: int | None = before(self)
    return index if index is None or self.known() else None
