"""Break: the board signs with its identity key where a tag was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.modem import Modem
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from harness_nordic.virtual.at_syntax import AtCommand

TITLE = "the board signs with its identity key where a tag was named"
EXPECTED = (
    "test_commands.py::test_certificate_signing_request",
    "test_commands.py::test_signing_request_replaces_the_key",
    "test_credential_store.py::test_service_gets_the_public_key",
)
ABOUT = r"jwt_is_signed_by"


@replaces(Modem, "_signing_key")
def _signing_key(self: Modem, command: AtCommand) -> EllipticCurvePrivateKey:
    """Know one key only."""
    return self.identity.key
