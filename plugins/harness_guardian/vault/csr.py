"""Certificate signing requests as they come: read, and proven to be made by the owner of the key."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from harness_guardian.vault.answers import refused
from harness_guardian.vault.fields import text_field

if TYPE_CHECKING:
    from collections.abc import Mapping

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----\s*([A-Za-z0-9+/=\s]*?)\s*-----END [A-Z0-9 ]+-----")


def read_csr(parameters: Mapping[str, Any]) -> x509.CertificateSigningRequest:
    """Read the field ``csr``: PEM.

    :raises VaultProblem: it is none, or its owner did not sign it.
    """
    text = text_field(parameters, "csr")
    if not text:
        raise refused('"csr" is empty')
    match = _PEM.search(text)
    if match is None:
        raise refused("csr contains no data")
    try:
        csr = x509.load_der_x509_csr(base64.b64decode("".join(match[1].split()), validate=True))
        signed = csr.is_signature_valid
        csr.public_key()
        read_names(csr)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm) as error:
        raise refused(f"certificate request could not be parsed: {error}") from error
    if not signed:
        raise refused("request signature invalid")
    return csr


def read_names(csr: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    """Return the alternative names that a CSR asks for, if it asks for any."""
    try:
        return csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def common_name(csr: x509.CertificateSigningRequest) -> str:
    """Return the common name that a CSR asks for; empty when it asks for none."""
    attributes = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else ""
