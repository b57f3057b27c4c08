"""Break: a test of several boards is sent where there is one."""

from __future__ import annotations

from harness.pytest_plugin.handover import Requirement
from harness.pytest_plugin.placement import Placement
from tests.breaks.support.patching import replaces

TITLE = "a test of several boards is sent where there is one"
NOTICED_BY = ("tests/pytest_plugin/test_requirements.py::test_too_few_boards",)
ABOUT = r"requirement"


@replaces(Placement, "requirement")
def requirement(self: Placement) -> Requirement:
    """Ask for one."""
    if self.skip is not None or self.fail is not None:
        return Requirement()
    return Requirement(need=self.need, group=self.group)
