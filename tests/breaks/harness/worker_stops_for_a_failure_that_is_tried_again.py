"""Break: a worker ends the session for a failure of the rig that is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.retry import StoppingLeftToController
from tests.breaks.support.patching import replaces

TITLE = "a worker ends the session for a failure of the rig that is tried again"
NOTICED_BY = ("tests/pytest_plugin/test_retry.py::test_a_worker_does_not_stop_for_the_rig[rig-expected0]",)
ABOUT = r"session\._shouldstop\) == expected"


if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@replaces(StoppingLeftToController, "pytest_runtest_logreport")
def pytest_runtest_logreport(self: StoppingLeftToController, report: pytest.TestReport) -> Iterator[None]:
    """Leave nothing to the controller."""
    return (yield)
