"""Break: a board that moved while the session began is not noticed."""

from __future__ import annotations

from typing import Any

from harness.inventory.presence import Presence
from tests.breaks.support.patching import replaces

TITLE = "a board that moved while the session began is not noticed"
NOTICED_BY = ("tests/inventory/test_presence.py::test_swapped_before_the_watch_began",)
ABOUT = r"it is not where it was found"


@replaces(Presence, "listed")
def listed(self: Presence, ports: Any) -> Any:
    """Take all boards to be where they were."""
    for port in ports:
        self._place(port)
    self._listed = True
    for member in self._members.values():
        for device in self._devices.values():
            if member.serial == device.serial and member.learn(device):
                member.at = device.key
    return []
