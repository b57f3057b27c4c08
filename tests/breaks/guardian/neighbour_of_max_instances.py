"""Break: FAIL_SIGN_DEVICE_CERTIFICATES is said where MAX_INSTANCE_FAILURE is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "FAIL_SIGN_DEVICE_CERTIFICATES is said where MAX_INSTANCE_FAILURE is meant"
EXPECTED = ("test_initial_errors.py::test_no_place[*",)
ABOUT = r"MAX_INSTANCE_FAILURE"

confuse(ErrorCode.MAX_INSTANCE_FAILURE)
