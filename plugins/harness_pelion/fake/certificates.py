"""X.509: developer certificates as the service makes them, and certificates that clients upload.

The shape of a developer certificate is that of a published one (pelion fact sheet, section 3).
"""

from __future__ import annotations

import base64
import secrets
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

if TYPE_CHECKING:
    from datetime import datetime

VALID_YEARS = 10
SERIAL_BYTES = 16

PRIVATE_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.4128.201")
_INTEGER_ONE = bytes.fromhex("020101")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCertificate:
    """A developer certificate that was made just now.

    :ivar der: the certificate.
    :ivar key_der: its private key, PKCS#8.
    """

    der: bytes
    key_der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What the service tells of a certificate.

    :ivar subject: as RFC 4514 writes names: ``CN=...,OU=...,O=...``.
    :ivar issuer: likewise.
    :ivar expires: end of its validity.
    """

    der: bytes
    subject: str
    issuer: str
    expires: datetime


class UnreadableCertificate(Exception):
    """A text that is no certificate in PEM."""


def make_developer_certificate(
    account_id: str, certificate_id: str, now: datetime, *, private_extension: bool
) -> MadeCertificate:
    """Make a developer certificate with its key (pelion fact sheet, section 3).

    :param account_id: becomes the OU.
    :param certificate_id: becomes the CN, which is the endpoint name of its devices.
    :param now: begin of its validity of ten years.
    :param private_extension: with the service's own extension.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Cambridgeshire"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Cambridge"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ARM Ltd"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, account_id),
            x509.NameAttribute(NameOID.COMMON_NAME, certificate_id),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(_serial())
        .not_valid_before(now)
        .not_valid_after(_years_later(now))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if private_extension:
        own = x509.UnrecognizedExtension(PRIVATE_EXTENSION, _INTEGER_ONE)
        builder = builder.add_extension(own, critical=False)
    return MadeCertificate(
        der=builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER),
        key_der=key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def read_pem(text: str) -> CertificateFacts:
    """Read a certificate that a client uploads.

    :raises UnreadableCertificate: it is none.
    """
    try:
        return facts_of(x509.load_pem_x509_certificate(text.encode()))
    except (ValueError, UnicodeEncodeError):
        raise UnreadableCertificate from None


def read_der(der: bytes) -> CertificateFacts:
    """Read a certificate of our own making."""
    return facts_of(x509.load_der_x509_certificate(der))


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """Return what the service tells of a certificate.

    :raises ValueError: something in it cannot be read.
    """
    return CertificateFacts(
        der=certificate.public_bytes(serialization.Encoding.DER),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        expires=certificate.not_valid_after_utc,
    )


def certificate_pem(der: bytes) -> str:
    """Return a certificate in PEM."""
    return pem("CERTIFICATE", der)


def key_pem(key_der: bytes, *, pkcs8: bool) -> str:
    """Return a private key in PEM: PKCS#8, or SEC 1."""
    if pkcs8:
        return pem("PRIVATE KEY", key_der)
    key = serialization.load_der_private_key(key_der, password=None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def pem(label: str, der: bytes) -> str:
    """Return DER in PEM."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def _serial() -> int:
    """Return a random serial number that takes exactly 16 bytes in DER, and is positive."""
    first = secrets.randbelow(0x7F) + 1
    return int.from_bytes(bytes([first]) + secrets.token_bytes(SERIAL_BYTES - 1))


def _years_later(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year + VALID_YEARS)
    except ValueError:  # the 29th of February
        return moment.replace(year=moment.year + VALID_YEARS, day=28)
