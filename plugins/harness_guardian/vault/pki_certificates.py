"""Certificates and revocation lists of the PKI engine, built and signed."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness_guardian.vault.answers import refused
from harness_guardian.vault.keys import signature_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

BACKDATED = timedelta(seconds=30)
"""Certificates are valid from a moment before they were made: clocks differ. Vault's own default."""

_CRL_LIFE = timedelta(hours=72)
_SERIAL_BYTES = 20
_LONGEST_NAME = 64
_EXTENDED_USAGES = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "serverauth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientauth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codesigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailprotection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocspsigning": ExtendedKeyUsageOID.OCSP_SIGNING,
}
_USAGES = {
    "digitalsignature": "digital_signature",
    "contentcommitment": "content_commitment",
    "keyencipherment": "key_encipherment",
    "dataencipherment": "data_encipherment",
    "keyagreement": "key_agreement",
    "certsign": "key_cert_sign",
    "crlsign": "crl_sign",
}


@dataclass(slots=True)
class Issuer:
    """A certificate authority that a mount knows.

    :ivar name: may be empty.
    :ivar key_id: empty when the mount has not its key.
    """

    id: str
    name: str
    certificate: x509.Certificate
    key_id: str = ""
    key: CertificateIssuerPrivateKeyTypes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a certificate is to be.

    :ivar alternative_names: of whoever it is for.
    :ivar path_length: of an authority; ``None``: as long as anybody likes.
    """

    subject: x509.Name
    public_key: CertificatePublicKeyTypes
    seconds: int
    usages: tuple[str, ...] = ()
    extended_usages: tuple[str, ...] = ()
    alternative_names: tuple[x509.GeneralName, ...] = ()
    authority: bool = False
    path_length: int | None = None


def subject_name(
    common_name: str,
    *,
    ou: Sequence[str] = (),
    organization: Sequence[str] = (),
    country: Sequence[str] = (),
) -> x509.Name:
    """Return a subject in Vault's order: country, organization, organizational unit, common name.

    :raises VaultProblem: a part cannot be in a name.
    """
    parts = [
        *((NameOID.COUNTRY_NAME, value) for value in country),
        *((NameOID.ORGANIZATION_NAME, value) for value in organization),
        *((NameOID.ORGANIZATIONAL_UNIT_NAME, value) for value in ou),
        *([(NameOID.COMMON_NAME, common_name)] if common_name else []),
    ]
    try:
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    except (ValueError, TypeError) as error:
        raise refused(f"the subject cannot be written: {error}") from error


def general_names(
    hosts: Sequence[str], *, uris: Sequence[str] = (), addresses: Sequence[str] = ()
) -> tuple[x509.GeneralName, ...]:
    """Return alternative names.

    :raises VaultProblem: one cannot be written so.
    """
    names: list[x509.GeneralName] = []
    try:
        names.extend(x509.RFC822Name(host) if "@" in host else x509.DNSName(host) for host in hosts)
        names.extend(x509.UniformResourceIdentifier(uri) for uri in uris)
        names.extend(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)
    except ValueError as error:
        raise refused(f"error parsing subject alternate names: {error}") from error
    return tuple(names)


def build_certificate(
    wanted: Wanted, key: CertificateIssuerPrivateKeyTypes, issuer: x509.Certificate | None
) -> x509.Certificate:
    """Build and sign a certificate.

    :param key: the issuer's.
    :param issuer: ``None``: the certificate is its own.
    :raises VaultProblem: it would outlive its issuer.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    end = now + timedelta(seconds=wanted.seconds)
    if issuer is not None and end > issuer.not_valid_after_utc:
        raise refused(
            f"cannot satisfy request, as TTL would result in notAfter of {_moment(end)} that is beyond "
            f"the expiration of the CA certificate at {_moment(issuer.not_valid_after_utc)}"
        )
    issuer_key = key.public_key() if issuer is None else issuer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(wanted.subject)
        .issuer_name(wanted.subject if issuer is None else issuer.subject)
        .public_key(wanted.public_key)
        .serial_number(new_serial())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(wanted.public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key),  # type: ignore[arg-type]  # ours
            critical=False,
        )
    )
    if wanted.authority:
        constraints = x509.BasicConstraints(ca=True, path_length=wanted.path_length)
        builder = builder.add_extension(constraints, critical=True)
    usage = _key_usage(wanted.usages)
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    extended = [
        _EXTENDED_USAGES[name.lower()] for name in wanted.extended_usages if name.lower() in _EXTENDED_USAGES
    ]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if wanted.alternative_names:
        names = x509.SubjectAlternativeName(wanted.alternative_names)
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, signature_hash(key))


def build_request(subject: x509.Name, key: CertificateIssuerPrivateKeyTypes) -> str:
    """Return a CSR for an authority of ours, in PEM."""
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, signature_hash(key))
    return csr.public_bytes(Encoding.PEM).decode().strip()


def build_crl(
    issuer: Issuer, revoked: Sequence[tuple[int, datetime]], number: int
) -> x509.CertificateRevocationList:
    """Build and sign a list of revoked certificates.

    :param revoked: serial numbers, and since when.
    :param number: counts the lists.
    """
    assert issuer.key is not None  # noqa: S101 - only whoever can sign is asked for one
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + _CRL_LIFE)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, signature_hash(issuer.key))


def with_broken_signature(certificate: x509.Certificate) -> x509.Certificate:
    """Return a certificate whose signature does not verify."""
    content = bytearray(certificate.public_bytes(Encoding.DER))
    content[-1] ^= 0x01
    return x509.load_der_x509_certificate(bytes(content))


def pem_of(certificate: x509.Certificate | x509.CertificateRevocationList) -> str:
    """Return PEM as Vault writes it, without an end of line behind it."""
    return certificate.public_bytes(Encoding.PEM).decode().strip()


def new_serial() -> int:
    """Return a serial number as Vault makes them: 20 random bytes, positive."""
    return int.from_bytes(os.urandom(_SERIAL_BYTES), "big") >> 1 | 1 << (8 * _SERIAL_BYTES - 2)


def _key_usage(names: Sequence[str]) -> x509.KeyUsage | None:
    chosen = {_USAGES[name.lower()] for name in names if name.lower() in _USAGES}
    if not chosen:
        return None
    flags = {name: name in chosen for name in _USAGES.values()}
    return x509.KeyUsage(**flags, encipher_only=False, decipher_only=False)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
