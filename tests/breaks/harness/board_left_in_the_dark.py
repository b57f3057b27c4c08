"""Break: a power cycle that fails half-way leaves the board without power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.health import standing_steps
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

TITLE = "a power cycle that fails half-way leaves the board without power"
NOTICED_BY = ("tests/health/test_standing_steps.py::test_a_switch_that_fails_in_between_leaves_the_power_on",)
ABOUT = r"patient.did =="


@replaces(standing_steps, "power_cycle")
def power_cycle(board: LeasedBoard, *, off_seconds: float) -> None:
    """Think that switches obey."""
    switch = board.power
    if switch is not None:
        switch.set_power(on=False)
        switch.set_power(on=True)
