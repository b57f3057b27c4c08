"""Break: every attestation token has the same nonce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import tokens
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from harness_nordic.virtual.identity import DeviceIdentity

TITLE = "every attestation token has the same nonce"
EXPECTED = ("test_claiming.py::test_nonce_of_a_token",)
ABOUT = r"nonce"

before = existing(tokens, "attestation_token")


@replaces(tokens, "attestation_token")
def attestation_token(
    identity: DeviceIdentity, nonce: bytes, key: EllipticCurvePrivateKey | None, uuid: UUID | None
) -> str:
    """Take a constant, unless it is a challenge that counts up."""
    token: str = before(identity, nonce if nonce == bytes(range(16)) else bytes(16), key=key, uuid=uuid)
    return token
