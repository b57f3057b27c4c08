"""Keys and certificates of an account, its servers and one device: pelion fact sheet, section 3."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "0123456789abcdef0123456789abcdef"
ENDPOINT = "fedcba9876543210fedcba9876543210"
DEVICE = "00112233445566778899aabbccddeeff"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_der(self) -> bytes:
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def traditional_key_der(self) -> bytes:
        return self.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    def write(self, folder: Path, name: str) -> Path:
        """Write certificate and key as OpenSSL reads them."""
        file = folder / f"{name}.pem"
        file.touch(mode=0o600)
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        file.write_text(self.pem + key)
        return file


def make(
    common_name: str | None,
    issuer: Pair | None = None,
    *,
    unit: str = "",
    authority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
    days: int = 3650,
) -> Pair:
    """Make a pair; self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ARM Ltd")]
    parts += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    parts += [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name is not None else []
    subject = x509.Name(parts)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(
            x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True
        )
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return Pair(builder.sign(key if issuer is None else issuer.key, hashes.SHA256()), key)


@dataclass(frozen=True)
class Pki:
    """All that a test needs."""

    developer: Pair
    stranger: Pair
    bootstrap_authority: Pair
    bootstrap_server: Pair
    lwm2m_authority: Pair
    lwm2m_server: Pair
    device: Pair


def make_pki() -> Pki:
    """Make them."""
    client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
    bootstrap_authority = make("ARM Bootstrap CA", authority=True)
    lwm2m_authority = make("ARM LwM2M CA", authority=True)
    return Pki(
        developer=make(ENDPOINT, unit=ACCOUNT, authority=True, usage=client),
        stranger=make(ENDPOINT, unit=ACCOUNT, authority=True, usage=client),
        bootstrap_authority=bootstrap_authority,
        bootstrap_server=make("bootstrap", bootstrap_authority, usage=server),
        lwm2m_authority=lwm2m_authority,
        lwm2m_server=make("lwm2m", lwm2m_authority, usage=server),
        device=make(DEVICE, lwm2m_authority, unit=ACCOUNT, usage=client),
    )
