"""Break: a certificate that the Vault made for another key is handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

TITLE = "a certificate of another key is handed out"
NOTICED_BY = ("tests/guardian/fake/test_issuing.py::test_fault_of_the_vault_has_its_code[sign-wrong-key]",)
ABOUT = r"Status\.ERROR"


@replaces(issuing, "_key_bytes")
def _key_bytes(key: PublicKeyTypes) -> bytes:
    """Take all keys for one."""
    return b""
