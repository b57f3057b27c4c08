"""Break: a board is back as soon as one of its ports is."""

from __future__ import annotations

from typing import Any

from harness.inventory.plugged_in import Member
from tests.breaks.support.patching import existing, replaces

TITLE = "a board is back as soon as one of its ports is"
NOTICED_BY = ("tests/inventory/test_presence.py::test_interface_of_the_rig_file_counts",)
ABOUT = r"port_removed|ttyACM8"


before = existing(Member, "moved_to")


@replaces(Member, "moved_to")
def moved_to(self: Member, device: Any, described: Any) -> Any:
    """Wait for none of the others."""
    found = before(self, device, described)
    return found or self.board
