"""Break: FAIL_SIGN_DEVICE_CERTIFIED_PROFILE is said where FAIL_SIGN_DEVICE_CERTIFICATES is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE is said where FAIL_SIGN_DEVICE_CERTIFICATES is meant"
EXPECTED = ("test_vault_errors.py::test_fault[*-sign-*00]",)
ABOUT = r"FAIL_SIGN_DEVICE_CERTIFICATES"

confuse(ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES)
