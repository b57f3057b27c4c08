"""Break: the alarm that pytest-timeout set never goes off, since ours took its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.alarm import _Outer
from tests.breaks.support.patching import replaces

TITLE = "the alarm that pytest-timeout set never goes off, since ours took its place"
NOTICED_BY = ("tests/test_alarm.py::test_an_earlier_alarm_of_others_goes_off_in_its_time",)
ABOUT = r"pytest\.raises\(TheirsError\)|wait\(\)|DID NOT RAISE|OursError"


if TYPE_CHECKING:
    from types import FrameType


@replaces(_Outer, "strike")
def strike(self: _Outer, number: int, frame: FrameType | None) -> None:
    """Take it for ours."""
    del number, frame
    self.due = None
