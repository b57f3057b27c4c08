"""Certified profiles: what the board believes, and what it refuses (guardian fact sheet, section 10.4)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness_guardian.enums import KeyType
from harness_guardian.virtual import jws, keys
from harness_guardian.virtual.chains import UnfitChain, check_chain
from harness_guardian.virtual.clock import read_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from harness_guardian.virtual.keys import PublicKey
    from harness_guardian.virtual.package import Package
    from harness_guardian.virtual.records import Pending

TYP = "guardian-cp+jws"
_VERSION = 1
_SKEW = timedelta(minutes=5)
_OWN = {
    "request_id": "it answers another request",
    "nonce": "it does not echo the nonce of the request",
    "system": "it is for another system",
    "component": "it is for another component",
    "hw_id": "it is for another hardware id",
}


class ProfileRefused(Exception):
    """The board does not accept a certified profile; the text says why, and each check has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedProfile:
    """A certified profile that passed every check.

    :ivar chains: certificates (DER) by slot, leaf first.
    """

    response_id: str
    instance_id: str
    component_instance_id: str
    chains: Mapping[str, tuple[bytes, ...]]


def accept(content: bytes, pending: Pending, package: Package, now: datetime) -> AcceptedProfile:
    """Check a certified profile against the board's own open request.

    :param pending: the request, with its keys.
    :param package: what is pinned: the profile signer and the root.
    :param now: the time on the board.
    :raises ProfileRefused: a check failed.
    """
    payload = _believed(content, package)
    for name, text in _OWN.items():
        if payload.get(name) != getattr(pending, name):
            raise ProfileRefused(text)
    instance = payload.get("system_instance")
    if not isinstance(instance, dict) or instance.get("id") != pending.instance_id:
        raise ProfileRefused("it is for another system instance")
    _check_times(payload, now)
    _check_root(payload, package.root)
    wanted = {slot: keys.from_pem(pem).public_key() for slot, pem in pending.keys.items()}
    chains = _chains(payload)
    if chains.keys() != wanted.keys():
        raise ProfileRefused(
            f"it has certificates for {_listed(chains)}, and the request asked for {_listed(wanted)}"
        )
    for slot, chain in chains.items():
        leaf = chain[0]
        if not _carries(leaf, wanted[slot]):
            raise ProfileRefused(f"the certificate of slot {slot} has another key than its signing request")
        try:
            check_chain(chain, package.root, hw_id=pending.hw_id, now=now)
        except UnfitChain as error:
            raise ProfileRefused(f"slot {slot}: {error}") from error
    return AcceptedProfile(
        response_id=_text(payload, "response_id"),
        instance_id=pending.instance_id,
        component_instance_id=_text(payload, "component_instance_id"),
        chains={
            slot: tuple(each.public_bytes(serialization.Encoding.DER) for each in chain)
            for slot, chain in chains.items()
        },
    )


def _believed(content: bytes, package: Package) -> dict[str, Any]:
    """Return the payload of a profile that the pinned key has signed."""
    try:
        read = jws.read_compact(content)
    except jws.NoJws as error:
        raise ProfileRefused(str(error)) from error
    wanted = jws.ALGORITHMS[KeyType(keys.kind_of(package.profile_signer))]
    if read.header.get("typ") != TYP:
        raise ProfileRefused("its type is not that of a certified profile")
    if read.header.get("alg") != wanted or "crit" in read.header:
        raise ProfileRefused(f"its algorithm is not {wanted}, that of the pinned profile signer")
    if read.header.get("kid") != package.profile_signer_kid:
        raise ProfileRefused("it names another key than the pinned profile signer")
    if not jws.verifies(read, package.profile_signer):
        raise ProfileRefused("its signature is not by the pinned profile signer")
    try:
        payload = json.loads(read.payload)
    except (ValueError, RecursionError) as error:
        raise ProfileRefused("its payload is no JSON") from error
    if not isinstance(payload, dict) or payload.get("ver") != _VERSION:
        raise ProfileRefused(f"its payload is not of version {_VERSION}")
    return payload


def _check_times(payload: Mapping[str, Any], now: datetime) -> None:
    try:
        issued, end = read_rfc3339(payload.get("issued_at")), read_rfc3339(payload.get("not_after"))
    except ValueError as error:
        raise ProfileRefused("it does not say when it was issued and how long it is valid") from error
    if issued > now + _SKEW:
        raise ProfileRefused("it was issued in the future")
    if end < now:
        raise ProfileRefused("it is not valid any more")


def _check_root(payload: Mapping[str, Any], root: x509.Certificate) -> None:
    trust = _certificates(payload.get("trust"), "its trust cannot be read")
    if trust != [root]:
        raise ProfileRefused("its root is not the pinned one")


def _chains(payload: Mapping[str, Any]) -> dict[str, list[x509.Certificate]]:
    unreadable = "its certificates cannot be read"
    entries = payload.get("certificates")
    if not isinstance(entries, list):
        raise ProfileRefused(unreadable)
    found: dict[str, list[x509.Certificate]] = {}
    for entry in entries:
        slot = entry.get("slot") if isinstance(entry, dict) else None
        if not isinstance(slot, str):
            raise ProfileRefused(unreadable)
        if slot in found:
            raise ProfileRefused(f"it has slot {slot} twice")
        found[slot] = _certificates(entry.get("chain"), unreadable)
    return found


def _certificates(texts: object, unreadable: str) -> list[x509.Certificate]:
    if not isinstance(texts, list) or not texts:
        raise ProfileRefused(unreadable)
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in texts]
    except (ValueError, TypeError, binascii.Error) as error:
        raise ProfileRefused(unreadable) from error


def _carries(certificate: x509.Certificate, key: PublicKey) -> bool:
    """Tell whether a certificate is of exactly this key."""
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    carried = certificate.public_key().public_bytes(serialization.Encoding.DER, info)
    return carried == keys.public_bytes(key)


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise ProfileRefused(f"it has no {name}")
    return value


def _listed(slots: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(sorted(slots)) or "no slot"
