"""Break: UNABLE_LOOKUP_DEVICE_CERTIFICATES is said where UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "UNABLE_LOOKUP_DEVICE_CERTIFICATES is said where UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER is meant"
EXPECTED = ("test_vault_errors.py::test_unknown_signer[*",)
ABOUT = r"UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"

confuse(ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER)
