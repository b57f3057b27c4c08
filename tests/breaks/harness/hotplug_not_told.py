"""Break: nobody is told which boards went, came back and came late."""

from __future__ import annotations

from harness.pytest_plugin.hotplug import Hotplug
from tests.breaks.support.patching import replaces

TITLE = "nobody is told which boards went, came back and came late"
NOTICED_BY = ("tests/hotplug/test_six_boards.py::test_every_test_ran_once_or_is_reported[0]",)
ABOUT = r"text in story"


@replaces(Hotplug, "_say")
def say(self: Hotplug, text: str) -> None:
    """Keep it to ourselves."""
