"""Break: DUPLICATE_HW_ID_FAILURE is said where APPLIANCE_ONLY is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "DUPLICATE_HW_ID_FAILURE is said where APPLIANCE_ONLY is meant"
EXPECTED = ("test_initial_errors.py::test_appliance_only[*",)
ABOUT = r"APPLIANCE_ONLY"

confuse(ErrorCode.APPLIANCE_ONLY)
