"""Break: the signature of a device's JWT is not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import jwt
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

TITLE = "the signature of a device's JWT is not checked"
EXPECTED = ("test_execution.py::test_forged_jwt",)
ABOUT = r"refused_with == .*403"


@replaces(jwt, "signature_is_valid")
def signature_is_valid(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    """Believe it."""
    return True
