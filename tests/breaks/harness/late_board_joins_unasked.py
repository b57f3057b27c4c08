"""Break: boards that come late join a session that takes none."""

from __future__ import annotations

from typing import Any

from harness.inventory.presence import Presence
from tests.breaks.support.patching import replaces

TITLE = "boards that come late join a session that takes none"
NOTICED_BY = ("tests/inventory/test_presence.py::test_stranger_to_the_session",)
ABOUT = r"isinstance\(refused, Refused\)"


@replaces(Presence, "_may_join")
def may_join(self: Presence, device: Any) -> bool:
    """Take whatever comes."""
    return True
