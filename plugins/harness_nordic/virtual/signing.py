"""Signatures in the form that tokens and JWTs carry them."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_HALF = 32


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def raw_signature(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Sign with ECDSA and SHA-256; the result is r and s, 32 bytes each, big-endian."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def public_key_info(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the DER SubjectPublicKeyInfo (91 bytes)."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the uncompressed point (65 bytes)."""
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def key_id(key: ec.EllipticCurvePrivateKey) -> str:
    """Return ``kid`` of a JWT: the SHA-256 of the SubjectPublicKeyInfo (nrfcloud fact sheet, section 4.6)."""
    return hashlib.sha256(public_key_info(key)).hexdigest()
