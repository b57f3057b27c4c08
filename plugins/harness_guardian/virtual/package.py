"""The provisioning package: what every component of a system is given in manufacturing.

Source: guardian fact sheet, sections 1.1 and 10.2; its form is our own: a JSON file with the key that signs
initial requests, the profile signer and the root that are pinned, and the slots of each component.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509

from harness_guardian.enums import KeyType
from harness_guardian.virtual import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.virtual.keys import PrivateKey, PublicKey

_VERSION = 1
_WANTED: Mapping[str, type] = {
    "system": str,
    "instance": dict,
    "signer": dict,
    "profile_signer": dict,
    "root_pem": str,
    "components": dict,
}


class UnfitPackage(Exception):
    """The file is no provisioning package; the text says what is wrong, without any of its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A provisioning package that was read.

    :ivar signer: the key that signs initial requests.
    :ivar profile_signer_kid: name of the key that signs certified profiles.
    :ivar profile_signer: that key.
    :ivar root: the root of the system.
    :ivar components: of each component its slots with their kinds of key.
    """

    system: str
    instance_id: str
    instance_name: str
    signer: PrivateKey = field(repr=False)
    profile_signer_kid: str
    profile_signer: PublicKey
    root: x509.Certificate
    components: Mapping[str, Mapping[str, str]]


def read_package(content: bytes) -> Package:
    """Read a package.

    :raises UnfitPackage: it is none.
    """
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnfitPackage("the package is no JSON") from error
    if not isinstance(fields, dict) or fields.get("version") != _VERSION:
        raise UnfitPackage(f"the package is not of version {_VERSION}")
    for name, kind in _WANTED.items():
        if not isinstance(fields.get(name), kind):
            raise UnfitPackage(f"the package's {name!r} is missing, or of the wrong kind")
    signer, pinned = fields["signer"], fields["profile_signer"]
    return Package(
        system=fields["system"],
        instance_id=_text(fields["instance"], "instance", "id"),
        instance_name=_text(fields["instance"], "instance", "name"),
        signer=_private_key(_text(signer, "signer", "private_key_pem")),
        profile_signer_kid=_text(pinned, "profile_signer", "kid"),
        profile_signer=_public_key(pinned.get("jwk")),
        root=_certificate(fields["root_pem"]),
        components={name: _slots(name, slots) for name, slots in fields["components"].items()},
    )


def _text(fields: Mapping[str, Any], owner: str, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise UnfitPackage(f"the package's {owner!r} has no {name!r}")
    return value


def _private_key(pem: str) -> PrivateKey:
    try:
        return keys.from_pem(pem)
    except ValueError as error:
        raise UnfitPackage("the package's signer has no key that can be read") from error


def _public_key(jwk: object) -> PublicKey:
    if not isinstance(jwk, dict):
        raise UnfitPackage("the package's profile signer has no key")
    try:
        return keys.from_jwk(jwk)
    except ValueError as error:
        raise UnfitPackage("the package's profile signer has no key that can be read") from error


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise UnfitPackage("the package's root is no certificate") from error


def _slots(component: str, slots: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in slots if isinstance(slots, list) else [None]:
        slot, kind = (entry.get("slot"), entry.get("key")) if isinstance(entry, dict) else (None, None)
        if not isinstance(slot, str) or not slot or slot in found or kind not in {*KeyType}:
            raise UnfitPackage(f"the package's slots of component {component!r} cannot be read")
        found[slot] = str(kind)
    return found
