"""Break: a board that hangs is reset, and its power is never cycled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.health import standing_steps
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

TITLE = "a board that hangs is reset, and its power is never cycled"
NOTICED_BY = (
    "tests/health/test_standing_steps.py::test_a_virtual_board_has_its_bench",
    "tests/health/test_standing_steps.py::test_a_switch_that_knows_cycles_does_it_itself",
)
ABOUT = r"patient.did =="


@replaces(standing_steps, "power_cycle")
def power_cycle(board: LeasedBoard, *, off_seconds: float) -> Any:
    """Touch no switch."""
