"""Break: a fault that was taken back is still in force."""

from __future__ import annotations

from harness_nordic.fake.faults import Faults
from tests.breaks.support.patching import replaces

TITLE = "a fault that was taken back is still in force"
EXPECTED = ("test_service_faults.py::test_end_of_a_fault[block]",)
ABOUT = r"refused_with"
SEPARATE = True


@replaces(Faults, "remove")
def remove(self: Faults, identifier: str) -> None:
    """Remove nothing."""
