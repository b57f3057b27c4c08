"""What a provisioning request is signed with, in either of its two forms (guardian fact sheet, section 10.3).

A request whose payload cannot even be read is no request: :func:`read_envelope` refuses it. Whatever else is
wrong with its envelope it carries as a fault, since there will be a row of it that says so.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from harness_guardian.fake import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
"""What a request can be signed with."""

LARGEST_REQUEST = 64 * 1024
"""Bytes of a provisioning request (guardian fact sheet, section 10.3)."""

JWS_TYPE = "application/guardian-pr+jws"
COSE_TYPE = "application/guardian-pr+cose"
UNSAID = "application/octet-stream"
"""Of a file whose name says nothing; ``.mcpr`` may hold either form."""

SIGNATURE_LENGTH = 64
"""Bytes of a signature of ES256 and of Ed25519."""

ES256 = "ES256"
EDDSA = "EdDSA"

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed payload, not verified yet.

    :ivar payload: as it was read; nothing is known of it but that it is a map.
    :ivar fault: what is wrong with the envelope; ``None`` when its form is well.
    :ivar kid: the name that it gives its key; empty when it gives none.
    :ivar algorithm: ``ES256`` or ``EdDSA``; empty when it gives neither.
    :ivar chain: certificates of its signer, leaf first; empty when a package's key signed it.
    """

    payload: Mapping[str, Any]
    fault: str | None
    kid: str = ""
    algorithm: str = ""
    chain: tuple[x509.Certificate, ...] = ()
    _verify: Callable[[PublicKey], bool] = field(default=lambda _key: False, repr=False)

    def is_signed_by(self, key: PublicKey) -> bool:
        """Tell whether the signature verifies with a key, by the algorithm that the envelope names."""
        if self.fault is not None or not fits(self.algorithm, key):
            return False
        return self._verify(key)


def fits(algorithm: str, key: object) -> bool:
    """Tell whether an algorithm is the one of a key's kind."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return algorithm == ES256 and isinstance(key.curve, ec.SECP256R1)
    return algorithm == EDDSA and isinstance(key, ed25519.Ed25519PublicKey)


def read_envelope(content: bytes, media_type: str) -> Envelope:
    """Read a provisioning request.

    :param media_type: what it is said to be, without parameters; :data:`UNSAID` looks at the content.
    :raises Refused: 400 when no payload can be read, 413 when it is too long, 415 for another media type.
    """
    from harness_guardian.fake import envelope_cose, envelope_jws

    if len(content) > LARGEST_REQUEST:
        raise refusals.too_large(f"a provisioning request has at most {LARGEST_REQUEST} bytes")
    if media_type in {UNSAID, ""}:
        media_type = JWS_TYPE if content.lstrip()[:1] == b"{" else COSE_TYPE
    if media_type == JWS_TYPE:
        return envelope_jws.read(content)
    if media_type == COSE_TYPE:
        return envelope_cose.read(content)
    raise refusals.media_type_unknown(f"{media_type}; expected {JWS_TYPE} or {COSE_TYPE}")


def read_chain(certificates: list[bytes]) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a signer.

    :param certificates: DER, leaf first.
    :raises ValueError: there is none, or one cannot be read.
    """
    if not certificates:
        raise ValueError("the chain of the signer is empty")
    try:
        chain = tuple(x509.load_der_x509_certificate(der) for der in certificates)
        for certificate in chain:
            certificate.public_key()
            if certificate.serial_number <= 0:
                raise ValueError("no serial number")  # noqa: TRY301 - one place says it
    except Exception as error:  # cryptography has many ways to say that it is none that can be used
        raise ValueError("the chain of the signer holds something that is no certificate") from error
    return chain


def decode_base64url(text: str) -> bytes:
    """Decode what RFC 7515 calls base64url: without padding, white space or unused bits.

    :raises ValueError: it is none.
    """
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if encode_base64url(data) != text:
        raise ValueError("not base64url: unused bits are set")
    return data


def encode_base64url(data: bytes) -> str:
    """Encode as :func:`decode_base64url` decodes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
