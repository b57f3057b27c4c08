"""Break: the internal error of one worker ends the whole session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.xdist_session import XdistSession
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "the internal error of one worker ends the whole session"
NOTICED_BY = ("tests/pytest_plugin/test_internal_errors.py::test_in_a_test",)
ABOUT = r"result\.outcomes =="


@replaces(XdistSession, "outlive_internal_errors")
def outlive_internal_errors(self: XdistSession, has_begun: Callable[[], bool]) -> None:
    """Leave it to xdist."""
