"""Break: REPROVISIONING_MISMATCH_COMPONENT is said where FAIL_SIGN_MISSING_SIGNER_CERTIFICATE is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "REPROVISIONING_MISMATCH_COMPONENT is said where FAIL_SIGN_MISSING_SIGNER_CERTIFICATE is meant"
EXPECTED = ("test_vault_errors.py::test_fault[*issuer*",)
ABOUT = r"FAIL_SIGN_MISSING_SIGNER_CERTIFICATE"

confuse(ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE)
