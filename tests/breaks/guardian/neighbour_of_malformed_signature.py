"""Break: MAX_INSTANCE_FAILURE is said where PR_SIGNATURE_MALFORMED is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "MAX_INSTANCE_FAILURE is said where PR_SIGNATURE_MALFORMED is meant"
EXPECTED = ("test_initial_errors.py::test_malformed*",)
ABOUT = r"PR_SIGNATURE_MALFORMED"

confuse(ErrorCode.PR_SIGNATURE_MALFORMED)
