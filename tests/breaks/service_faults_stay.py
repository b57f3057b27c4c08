"""Break: a fault outlives the test that ordered it."""

from __future__ import annotations

from harness_nordic.fake.faults import Faults
from tests.breaks.support.patching import replaces

TITLE = "a fault outlives the test that ordered it"
EXPECTED = ("test_service_faults.py::test_end_of_a_fault[test]",)
ABOUT = r"refused_with"
SEPARATE = True


@replaces(Faults, "remove_all_of")
def remove_all_of(self: Faults, orderer: str) -> int:
    """Remove none."""
    return 0
