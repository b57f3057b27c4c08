"""Break: VAULT_REQUEST_TIMEOUT is said where FAIL_SIGN_DEVICE_CERTIFIED_PROFILE is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "VAULT_REQUEST_TIMEOUT is said where FAIL_SIGN_DEVICE_CERTIFIED_PROFILE is meant"
EXPECTED = ("test_vault_errors.py::test_fault[*-profile-*00]",)
ABOUT = r"FAIL_SIGN_DEVICE_CERTIFIED_PROFILE"

confuse(ErrorCode.FAIL_SIGN_DEVICE_CERTIFIED_PROFILE)
