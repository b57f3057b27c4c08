"""The key of a provisioning package, and the package itself: what makes a board ready to ask.

A package is the same for all boards of a system instance; its key is a secret that the boards share
("marginally trusted"; guardian fact sheet, sections 1.1 and 10.2).
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from harness_guardian.client_models import InstanceRecord, SystemRecord

VERSION = 1
_COORDINATE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageKey:
    """A key that provisioning requests of new devices are signed with.

    :ivar kid: RFC 7638 thumbprint of the public half.
    :ivar jwk: the public half.
    :ivar private_key_pem: the secret half (PKCS #8).
    """

    kid: str
    jwk: dict[str, str]
    private_key_pem: str = field(repr=False)


def make_package_key() -> PackageKey:
    """Make a key: EC P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return PackageKey(kid=thumbprint(jwk), jwk=jwk, private_key_pem=pem.decode())


def thumbprint(jwk: dict[str, str]) -> str:
    """Return the RFC 7638 thumbprint of an EC public key: SHA-256 over its members in order, no blanks."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(text.encode()).digest())


def make_package(system: SystemRecord, instance: InstanceRecord, key: PackageKey) -> bytes:
    """Return the provisioning package of a system instance; it is a secret."""
    content = {
        "version": VERSION,
        "system": system.name,
        "instance": {"id": instance.id, "name": instance.name},
        "signer": {"kid": key.kid, "private_key_pem": key.private_key_pem},
        "profile_signer": {"kid": system.profile_signer.kid, "jwk": system.profile_signer.jwk},
        "root_pem": system.trust[0],
        "components": {
            component["name"]: [
                {"slot": each["slot"], "key": each["key"]} for each in component["certificates"]
            ]
            for component in system.components
        },
    }
    return json.dumps(content).encode()


def _coordinate(value: int) -> str:
    return _base64url(value.to_bytes(_COORDINATE, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
