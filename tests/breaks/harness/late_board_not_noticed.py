"""Break: a board that comes late is not noticed."""

from __future__ import annotations

from typing import Any

from harness.inventory.presence import Presence
from tests.breaks.support.patching import replaces

TITLE = "a board that comes late is not noticed"
NOTICED_BY = ("tests/inventory/test_presence.py::test_late_board_of_the_rig_file",)
ABOUT = r"each in asking"


@replaces(Presence, "_may_join")
def may_join(self: Presence, device: Any) -> bool:
    """Take nobody."""
    return False
