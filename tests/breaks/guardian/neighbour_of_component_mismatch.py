"""Break: a component mismatch is said to be one of the hardware id."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER is said where REPROVISIONING_MISMATCH_COMPONENT is meant"
EXPECTED = ("test_reprovisioning_mismatches.py::test_component[*",)
ABOUT = r"REPROVISIONING_MISMATCH_COMPONENT"

confuse(ErrorCode.REPROVISIONING_MISMATCH_COMPONENT)
