"""Break: a board that is plugged in late is known and not used."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin.hotplug import Hotplug
from tests.breaks.support.patching import replaces

TITLE = "a board that is plugged in late is known and not used"
NOTICED_BY = ("tests/hotplug/test_six_boards.py::test_every_test_ran_once_or_is_reported[0]",)
ABOUT = r"dict\(ends\) == expected"


@replaces(Hotplug, "_join")
def join(self: Hotplug, board: Any) -> None:
    """Leave it lying."""
