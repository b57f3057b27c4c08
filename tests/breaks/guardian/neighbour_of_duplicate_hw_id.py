"""Break: MISSING_PR_SIGNER_KEY is said where DUPLICATE_HW_ID_FAILURE is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "MISSING_PR_SIGNER_KEY is said where DUPLICATE_HW_ID_FAILURE is meant"
EXPECTED = ("test_initial_errors.py::test_duplicate[*",)
ABOUT = r"DUPLICATE_HW_ID_FAILURE"

confuse(ErrorCode.DUPLICATE_HW_ID_FAILURE)
