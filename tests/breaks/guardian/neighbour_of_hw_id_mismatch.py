"""Break: a mismatch of the hardware id is said to be one of the instance."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "REPROVISIONING_MISMATCH_INSTANCE is said where REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER is meant"
EXPECTED = ("test_reprovisioning_mismatches.py::test_hardware_id[*",)
ABOUT = r"REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER"

confuse(ErrorCode.REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER)
