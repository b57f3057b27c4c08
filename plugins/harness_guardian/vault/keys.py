"""Keys of the PKI engine: made by type and size, and told apart as roles name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from harness_guardian.vault.answers import refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

_CURVES: dict[int, ec.EllipticCurve] = {
    224: ec.SECP224R1(),
    256: ec.SECP256R1(),
    384: ec.SECP384R1(),
    521: ec.SECP521R1(),
}
_RSA_BITS = frozenset({2048, 3072, 4096})
_DEFAULT_BITS = {"rsa": 2048, "ec": 256, "ed25519": 0}
KEY_TYPES = frozenset(_DEFAULT_BITS)


def checked_bits(key_type: str, bits: int) -> int:
    """Return the size of a key; 0 stands for what is usual.

    :raises VaultProblem: there is no such kind of key, or none of this size.
    """
    if key_type not in KEY_TYPES:
        raise refused(f"unknown key type: {key_type}")
    if key_type == "ed25519":
        return 0
    chosen = bits or _DEFAULT_BITS[key_type]
    if key_type == "ec" and chosen not in _CURVES:
        raise refused(f"unsupported bit length for EC key: {chosen}")
    if key_type == "rsa" and chosen not in _RSA_BITS:
        raise refused(f"unsupported bit length for RSA key: {chosen}")
    return chosen


def make_key(key_type: str, bits: int) -> CertificateIssuerPrivateKeyTypes:
    """Make a key.

    :raises VaultProblem: see :func:`checked_bits`.
    """
    chosen = checked_bits(key_type, bits)
    if key_type == "ec":
        return ec.generate_private_key(_CURVES[chosen])
    if key_type == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=chosen)
    return ed25519.Ed25519PrivateKey.generate()


def kind_of(key: object) -> tuple[str, int]:
    """Return type and size of a public key as roles name them; an unknown one has the type ``unknown``."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ec", key.curve.key_size
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519", 0
    return "unknown", 0


def another_key_like(key: CertificatePublicKeyTypes) -> CertificatePublicKeyTypes:
    """Return the public half of a fresh key of the same kind."""
    key_type, bits = kind_of(key)
    return make_key(key_type, bits).public_key()


def signature_hash(key: CertificateIssuerPrivateKeyTypes) -> hashes.SHA256 | hashes.SHA384 | None:
    """Return what an issuer's key signs the digest of."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size == 384:  # noqa: PLR2004 - P-384
        return hashes.SHA384()
    return hashes.SHA256()
