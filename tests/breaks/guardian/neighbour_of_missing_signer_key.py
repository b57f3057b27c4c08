"""Break: PR_SIGNATURE_MALFORMED is said where MISSING_PR_SIGNER_KEY is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "PR_SIGNATURE_MALFORMED is said where MISSING_PR_SIGNER_KEY is meant"
EXPECTED = ("test_initial_errors.py::test_signer_key[*",)
ABOUT = r"MISSING_PR_SIGNER_KEY"

confuse(ErrorCode.MISSING_PR_SIGNER_KEY)
