"""Break: UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER is said where VAULT_REQUEST_TIMEOUT is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER is said where VAULT_REQUEST_TIMEOUT is meant"
EXPECTED = ("test_vault_errors.py::test_slow_leaf[*",)
ABOUT = r"VAULT_REQUEST_TIMEOUT"

confuse(ErrorCode.VAULT_REQUEST_TIMEOUT)
