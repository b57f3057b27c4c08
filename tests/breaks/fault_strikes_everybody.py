"""Break: a fault strikes whoever comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.faults import Fault
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.enums import FaultPlace

TITLE = "a fault strikes whoever comes first"
EXPECTED = ("test_service_faults.py::test_whom_a_fault_strikes",)
ABOUT = r"refusals"


@replaces(Fault, "is_for")
def is_for(self: Fault, place: FaultPlace, device: str | None, owner: str | None) -> bool:
    """Ask for the place only."""
    return self.left > 0 and self.place is place
