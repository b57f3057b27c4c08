"""Break: the signature of an attestation token is not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import tokens
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from harness_nordic.fake.tokens import Attestation

TITLE = "the signature of an attestation token is not checked"
EXPECTED = (
    "test_claiming.py::test_forged_token",
    "test_claiming.py::test_tampered_token",
)
ABOUT = r"RequestRefused|refused"


@replaces(tokens, "verify_attestation")
def verify_attestation(attestation: Attestation, key: EllipticCurvePublicKey) -> None:
    """Believe the token."""
