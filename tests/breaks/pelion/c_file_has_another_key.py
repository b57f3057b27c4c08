"""Break: the C file has a private key that belongs to no certificate."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness_pelion.fake import service
from tests.breaks.support.patching import existing, replaces

TITLE = "the C file has a key that does not belong to its certificate"
EXPECTED = (
    "test_api.py::test_certificate_is_found",
    "test_status.py::test_configured_device",
)
ABOUT = r"credentials|developer|configured"

before = existing(service, "security_file")


@replaces(service, "security_file")
def security_file(
    *,
    endpoint_name: str,
    account_id: str,
    server_uri: str,
    certificate: bytes,
    root_ca: bytes,
    private_key: bytes,
) -> str:
    """Make a key for each file."""
    other = ec.generate_private_key(ec.SECP256R1())
    return str(
        before(
            endpoint_name=endpoint_name,
            account_id=account_id,
            server_uri=server_uri,
            certificate=certificate,
            root_ca=root_ca,
            private_key=other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        )
    )
