"""Break: a board that is plugged in late is used although another session holds it."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin.late_leases import LateLeases
from tests.breaks.support.patching import replaces

TITLE = "a board that is plugged in late is used although another session holds it"
NOTICED_BY = ("tests/hotplug/test_losses.py::test_a_late_board_that_somebody_else_holds",)
ABOUT = r"ran.outcomes"


@replaces(LateLeases, "_take")
def take(self: LateLeases, candidate: Any) -> None:
    """Ask nobody."""


@replaces(LateLeases, "join")
def join(self: LateLeases, board: Any) -> None:
    """Use it."""
