"""Break: the service believes every key that says it is the board's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import tokens
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

TITLE = "a key that the board did not vouch for is accepted"
EXPECTED = ("test_board_faults.py::test_forged_key",)
ABOUT = r"FAILED"

before = existing(tokens, "verify_keygen")
verify = existing(tokens, "signature_is_valid")


@replaces(tokens, "signature_is_valid")
def signature_is_valid(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    """Look at signatures of tokens only: what is signed for a key carries a payload."""
    return not signed.endswith(b"\xf6") or bool(verify(key, signature, signed))
