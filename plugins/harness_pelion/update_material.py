"""Update resources for suites, of the shape that manifest-tool 1.x makes: ids, and a certificate of its own.

Source: pelion fact sheet, section 5.1. The private key is used once and forgotten: suites sign no updates.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness_pelion.enums import UpdateVariable
from harness_pelion.resources import UpdateResources

USUAL_DAYS = 90
"""How long manifest-tool 1.x lets a certificate be valid (section 5.1)."""

_BEFORE = timedelta(days=30)


def vendor_id(domain: str) -> uuid.UUID:
    """Return the id of a vendor: a UUIDv5 of its domain."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, domain)


def class_id(vendor: uuid.UUID, model: str) -> uuid.UUID:
    """Return the id of a class of devices: a UUIDv5 of its name, below its vendor."""
    return uuid.uuid5(vendor, model)


def update_resources(
    name: str, *, domain: str = "arm.com", model: str = "dev-device", days: int = USUAL_DAYS
) -> UpdateResources:
    """Make update resources.

    :param name: what they are called.
    :param domain: the vendor's.
    :param model: name of the class of devices.
    :param days: how long the certificate is valid from now on; negative: it has expired so long ago.
    """
    vendor = vendor_id(domain)
    certificate, identifier = _certificate(domain, days)
    return UpdateResources(
        name=name,
        files={
            UpdateVariable.VENDOR_ID: vendor.bytes,
            UpdateVariable.CLASS_ID: class_id(vendor, model).bytes,
            UpdateVariable.FINGERPRINT: hashlib.sha256(certificate).digest(),
            UpdateVariable.SUBJECT_KEY_IDENTIFIER: identifier,
            UpdateVariable.CERTIFICATE: certificate,
            UpdateVariable.PSK: b"",
            UpdateVariable.PSK_ID: b"",
        },
    )


@lru_cache(maxsize=32)  # nothing is signed by it: tests may share one
def _certificate(domain: str, days: int) -> tuple[bytes, bytes]:
    """Return a certificate (DER) and the identifier of its key, as manifest-tool 1.x makes both."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    identifier = hashlib.sha256(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()[:20]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - _BEFORE)
        .not_valid_after(end)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.DER), identifier
