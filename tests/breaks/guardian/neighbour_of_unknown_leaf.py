"""Break: FAIL_SIGN_MISSING_SIGNER_CERTIFICATE is said where UNABLE_LOOKUP_DEVICE_CERTIFICATES is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "FAIL_SIGN_MISSING_SIGNER_CERTIFICATE is said where UNABLE_LOOKUP_DEVICE_CERTIFICATES is meant"
EXPECTED = ("test_vault_errors.py::test_unknown_leaf[*",)
ABOUT = r"UNABLE_LOOKUP_DEVICE_CERTIFICATES"

confuse(ErrorCode.UNABLE_LOOKUP_DEVICE_CERTIFICATES)
