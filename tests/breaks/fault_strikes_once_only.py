"""Break: a fault that is to strike twice strikes once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.faults import Faults
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.faults import Fault

TITLE = "a fault that is to strike twice strikes once"
EXPECTED = ("test_service_faults.py::test_whom_a_fault_strikes",)
ABOUT = r"refusals"

before = existing(Faults, "strike")


@replaces(Faults, "strike")
def strike(self: Faults, fault: Fault, device: str | None, owner: str | None) -> None:
    """Use it up."""
    before(self, fault, device=device, owner=owner)
    fault.left = 0
