"""Break: the board exports another public key than it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import signing
from harness_nordic.virtual.modem import Modem
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from harness_nordic.enums import CredentialType

TITLE = "the board exports another public key than it keeps"
EXPECTED = (
    "test_commands.py::test_certificate_signing_request",
    "test_commands.py::test_signing_request_replaces_the_key",
    "test_credential_store.py::test_service_gets_the_public_key",
    "test_credential_store.py::test_generated_key_survives_a_power_cycle",
)
ABOUT = r"jwt_is_signed_by"

before = existing(Modem, "_make_key")


@replaces(Modem, "_make_key")
def _make_key(self: Modem, tag: int, kind: CredentialType) -> EllipticCurvePrivateKey:
    """Keep one key and give out another."""
    before(self, tag, kind)
    return signing.new_key()
