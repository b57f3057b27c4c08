"""JSON Web Signatures (RFC 7515), as far as the board needs them: one signature, its own code."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_guardian.enums import KeyType
from harness_guardian.virtual import keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.virtual.keys import PrivateKey, PublicKey

ALGORITHMS = {KeyType.P256: "ES256", KeyType.P384: "ES384", KeyType.ED25519: "EdDSA"}


class NoJws(Exception):
    """The bytes are no JWS of the form that is read here."""


@dataclass(frozen=True, slots=True)
class ReadJws:
    """A JWS that was read and not believed yet.

    :ivar header: its protected header.
    :ivar payload: its payload.
    :ivar signed: what the signature covers.
    :ivar signature: the signature.
    """

    header: Mapping[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes


def protected_header(key: PrivateKey, typ: str, chain: Sequence[bytes] = ()) -> dict[str, Any]:
    """Return the protected header of what a key signs.

    :param chain: certificates (DER) of the key, leaf first.
    """
    header: dict[str, Any] = {
        "alg": ALGORITHMS[KeyType(keys.kind_of(key))],
        "typ": typ,
        "kid": keys.thumbprint(key.public_key()),
    }
    if chain:
        header["x5c"] = [base64.b64encode(certificate).decode() for certificate in chain]
    return header


def flattened(header: Mapping[str, Any], payload: bytes, key: PrivateKey) -> dict[str, str]:
    """Sign, in the flattened JSON serialisation (RFC 7515, section 7.2.2)."""
    protected = keys.base64url(json.dumps(header, separators=(",", ":")).encode())
    body = keys.base64url(payload)
    signature = keys.sign(key, f"{protected}.{body}".encode())
    return {"payload": body, "protected": protected, "signature": keys.base64url(signature)}


def read_compact(content: bytes) -> ReadJws:
    """Read the compact serialisation (section 7.1).

    :raises NoJws: it is none.
    """
    try:
        protected, body, signature = content.strip().decode("ascii").split(".")
        header = json.loads(keys.from_base64url(protected))
        payload = keys.from_base64url(body)
        raw = keys.from_base64url(signature)
    except (ValueError, RecursionError) as error:
        raise NoJws("it is no JWS in compact form") from error
    if not isinstance(header, dict):
        raise NoJws("its header is no object")
    return ReadJws(header, payload, f"{protected}.{body}".encode(), raw)


def payload_of_flattened(content: bytes) -> bytes:
    """Return the payload of a flattened JWS, which nobody verifies here.

    :raises NoJws: it is none.
    """
    try:
        return keys.from_base64url(json.loads(content)["payload"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoJws("it is no JWS in flattened JSON form") from error


def verifies(read: ReadJws, key: PublicKey) -> bool:
    """Tell whether a key has signed; the algorithm is the key's, whatever the header says."""
    return keys.verifies(key, read.signature, read.signed)
