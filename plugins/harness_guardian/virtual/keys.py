"""The board's keys: made, named, kept and used to sign (guardian fact sheet, sections 10.2 and 10.3)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from harness_guardian.enums import KeyType

if TYPE_CHECKING:
    from collections.abc import Mapping

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_CURVES: dict[str, ec.EllipticCurve] = {KeyType.P256: ec.SECP256R1(), KeyType.P384: ec.SECP384R1()}
_CURVE_NAMES = {curve.name: kind for kind, curve in _CURVES.items()}
_DIGESTS: dict[str, hashes.HashAlgorithm] = {KeyType.P256: hashes.SHA256(), KeyType.P384: hashes.SHA384()}


def base64url(data: bytes) -> str:
    """Encode as JOSE does: for addresses, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Undo :func:`base64url`, strictly.

    :raises ValueError: it is none.
    """
    data = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    if base64url(data) != text:
        raise ValueError("not base64url")
    return data


def make(kind: str) -> PrivateKey:
    """Make a private key.

    :param kind: a :class:`~harness_guardian.enums.KeyType`.
    """
    if kind == KeyType.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(_CURVES[kind])


def to_pem(key: PrivateKey) -> str:
    """Return a private key as the storage keeps it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def from_pem(pem: str) -> PrivateKey:
    """Read a private key.

    :raises ValueError: it is none of a kind that the board uses.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except TypeError as error:
        raise ValueError("the key is encrypted") from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVE_NAMES:
        return key
    raise ValueError("a key of another kind")


def kind_of(key: PrivateKey | PublicKey) -> str:
    """Return what kind of key it is: a :class:`~harness_guardian.enums.KeyType`."""
    if isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        return KeyType.ED25519
    return _CURVE_NAMES[key.curve.name]


def public_bytes(key: PublicKey) -> bytes:
    """Return a public key as certificates carry it (SubjectPublicKeyInfo, DER)."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def thumbprint(key: PublicKey) -> str:
    """Return the name of a key: its thumbprint (RFC 7638, RFC 8037)."""
    text = json.dumps(_members(key), sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())


def _members(key: PublicKey) -> dict[str, str]:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"crv": "Ed25519", "kty": "OKP", "x": base64url(key.public_bytes_raw())}
    numbers, size = key.public_numbers(), _size(key)
    return {
        "crv": kind_of(key),
        "kty": "EC",
        "x": base64url(numbers.x.to_bytes(size, "big")),
        "y": base64url(numbers.y.to_bytes(size, "big")),
    }


def from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """Read the public key of a profile signer (RFC 7517).

    :raises ValueError: it is none of a kind that the board verifies with.
    """
    try:
        kind, curve, x = jwk["kty"], jwk["crv"], from_base64url(jwk["x"])
        if (kind, curve) == ("OKP", "Ed25519"):
            return ed25519.Ed25519PublicKey.from_public_bytes(x)
        if kind == "EC" and curve in _CURVES:
            y = from_base64url(jwk["y"])
            numbers = ec.EllipticCurvePublicNumbers(
                int.from_bytes(x, "big"), int.from_bytes(y, "big"), _CURVES[curve]
            )
            return numbers.public_key()
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no public key: {error!r}") from error
    raise ValueError(f"a public key of a kind that is not known here: {kind} {curve}")


def sign(key: PrivateKey, data: bytes) -> bytes:
    """Sign as JOSE and COSE do: R and S one behind the other, or Ed25519."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(_DIGESTS[kind_of(key)])))
    size = _size(key)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verifies(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Tell whether a signature of JOSE's form is by a key."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
            return True
        size = _size(key)
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(_DIGESTS[kind_of(key)]))
    except InvalidSignature:
        return False
    return True


def prove(key: PrivateKey, challenge: bytes) -> bytes:
    """Sign a challenge: ECDSA with SHA-256 in DER, or Ed25519."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(challenge)
    return key.sign(challenge, ec.ECDSA(hashes.SHA256()))


def csr_digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """Return what a signing request of a key is digested with; Ed25519 has none to choose."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    return hashes.SHA384() if kind_of(key) == KeyType.P384 else hashes.SHA256()


def _size(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> int:
    return (key.curve.key_size + 7) // 8
