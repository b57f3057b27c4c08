"""``%KEYGEN``: certificate signing requests of keys made in the modem (nrfcloud fact sheet, section 5.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID, ObjectIdentifier

from harness_nordic.enums import CmeError
from harness_nordic.virtual.errors import CmeRefusal

if TYPE_CHECKING:
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric import ec

#: Digital signature, non-repudiation, key encipherment and key agreement.
DEFAULT_KEY_USAGE = "111010000"

_NAMES = {
    "C": NameOID.COUNTRY_NAME,
    "CN": NameOID.COMMON_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "GIVENNAME": NameOID.GIVEN_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
}
_USAGE = re.compile(r"[01]{9}")
_COMMA = re.compile(r"(?<!\\),")
_KEY_USAGE_OID = ObjectIdentifier("2.5.29.15")
_BIT_STRING = 0x03


def check_key_usage(bits: str) -> str:
    """Return the nine characters of a key usage, the default for none.

    :raises CmeRefusal: 50 if they are not nine characters ``0`` or ``1``.
    """
    bits = bits or DEFAULT_KEY_USAGE
    if not _USAGE.fullmatch(bits):
        raise CmeRefusal(CmeError.BAD_PARAMETERS)
    return bits


def read_subject(attributes: str, device: UUID) -> x509.Name:
    """Read ``CN=...,O=...``; without attributes the subject is the device UUID.

    :raises CmeRefusal: 50 if an attribute is unknown, empty or does not fit its kind.
    """
    if not attributes:
        attributes = f"CN={device}"
    pairs: list[x509.NameAttribute[str]] = []
    for attribute in _COMMA.split(attributes):
        name, _, value = attribute.partition("=")
        oid = _NAMES.get(name.strip().upper())
        if oid is None:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        try:
            pair = x509.NameAttribute(oid, value.replace("\\,", ",").strip())
            x509.Name([pair]).public_bytes()  # bytes that are no text are found out here and nowhere else
        except ValueError as error:
            raise CmeRefusal(CmeError.BAD_PARAMETERS) from error
        pairs.append(pair)
    return x509.Name(pairs)


def signing_request(key: ec.EllipticCurvePrivateKey, subject: x509.Name, key_usage: str) -> bytes:
    """Make a DER PKCS#10 request with a key usage extension, signed by its own key."""
    usage = x509.UnrecognizedExtension(_KEY_USAGE_OID, _named_bits(key_usage))
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.add_extension(usage, critical=False).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def _named_bits(bits: str) -> bytes:
    """Encode a DER bit string of named bits: zeros at its end are left out."""
    kept = bits.rstrip("0")
    octets = -(-len(kept) // 8)
    content = int(kept.ljust(octets * 8, "0") or "0", 2).to_bytes(octets, "big")
    return bytes([_BIT_STRING, 1 + octets, octets * 8 - len(kept)]) + content
