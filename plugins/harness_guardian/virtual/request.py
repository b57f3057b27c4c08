"""Provisioning requests: payload, envelope and proofs (guardian fact sheet, section 10.3)."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from harness_guardian.virtual import cbor, cose, csr, forging, jws, keys
from harness_guardian.virtual.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from harness_guardian.virtual.keys import PrivateKey
    from harness_guardian.virtual.records import Latest

JWS, COSE = "jws", "cose"
#: Media type of each form.
MEDIA_TYPES = {JWS: "application/guardian-pr+jws", COSE: "application/guardian-pr+cose"}
TYP = "guardian-pr+jws"

_NONCE_SIZE = 16
_VERSION = 1
_FOREIGN_ALGORITHM, _FOREIGN_COSE_ALGORITHM = "HS256", 5


class NothingToRepeat(Exception):
    """A request before this one is to be repeated, and there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request says.

    :ivar instance_name: name of the system instance, if it is known.
    :ivar chain: certificates (DER) of the identity that signs it, leaf first; empty in an initial one.
    :ivar previous: id of the response that the identity came with.
    :ivar source: which Guardian it is for, if it says so.
    """

    system: str
    instance_id: str
    instance_name: str | None
    component: str
    hw_id: str
    source: str | None = None
    chain: tuple[bytes, ...] = ()
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A request that was made.

    :ivar nonce: base64url.
    """

    request_id: str
    nonce: str
    content: bytes = field(repr=False)


def make(
    asked: Asked,
    *,
    signer: PrivateKey,
    fresh: Mapping[str, PrivateKey],
    form: str,
    now: datetime,
    forged: Mapping[str, Any],
    latest: Latest | None,
) -> Made:
    """Make and sign a request.

    :param signer: package key, or the key of the identity.
    :param fresh: the new keys by slot.
    :param form: ``jws`` or ``cose``.
    :param forged: what is to be wrong, from :meth:`~harness_guardian.virtual.forging.Forging.take`.
    :param latest: the request before, which some forgeries repeat.
    :raises NothingToRepeat: there was none.
    """
    request_id, nonce = str(uuid.uuid4()), keys.base64url(secrets.token_bytes(_NONCE_SIZE))
    if forging.REQUEST_ID in forged:
        request_id = forged[forging.REQUEST_ID] or _before(latest).request_id
    if forging.NONCE in forged:
        nonce = forged[forging.NONCE] or _before(latest).nonce
    now += timedelta(seconds=forged.get(forging.CREATED_AT, 0))
    payload: dict[str, Any] = {
        "ver": _VERSION,
        "request_id": request_id,
        "system": asked.system,
        "system_instance": {"id": asked.instance_id},
        "component": asked.component,
        "hw_id": asked.hw_id,
        "reprovision": bool(asked.chain) != (forging.REPROVISION_FLAG in forged),
        "nonce": keys.from_base64url(nonce),
        "created_at": rfc3339(now),
        "csrs": _signing_requests(fresh, asked.hw_id, signer, forged),
    }
    if asked.instance_name is not None:
        payload["system_instance"]["name"] = asked.instance_name
    if asked.source is not None:
        payload["source"] = asked.source
    if asked.previous is not None:
        payload["previous"] = {"response_id": asked.previous}
    if forging.PAYLOAD in forged:
        del payload["csrs"]
    envelope = _as_cose if form == COSE else _as_jws
    return Made(request_id=request_id, nonce=nonce, content=envelope(payload, signer, asked.chain, forged))


def _before(latest: Latest | None) -> Latest:
    if latest is None:
        raise NothingToRepeat
    return latest


def _signing_requests(
    fresh: Mapping[str, PrivateKey], hw_id: str, signer: PrivateKey, forged: Mapping[str, Any]
) -> list[dict[str, Any]]:
    found = []
    for position, (slot, key) in enumerate(fresh.items()):
        wrong = position == 0  # one of them is enough
        content = csr.make(signer if wrong and forging.CSR_KEY in forged else key, hw_id)
        if wrong and forging.CSR_SIGNATURE in forged:
            content = csr.with_bad_signature(content)
        found.append({"slot": slot, "csr": content})
    return found


def _as_jws(
    payload: Mapping[str, Any], signer: PrivateKey, chain: Sequence[bytes], forged: Mapping[str, Any]
) -> bytes:
    fields = {**payload, "nonce": keys.base64url(payload["nonce"])}
    if "csrs" in fields:
        fields["csrs"] = [{**item, "csr": base64.b64encode(item["csr"]).decode()} for item in fields["csrs"]]
    raw = b"no payload" if forging.UNDECODABLE in forged else json.dumps(fields).encode()
    header = jws.protected_header(signer, TYP, chain)
    if forging.ALGORITHM in forged:
        header["alg"] = _FOREIGN_ALGORITHM
    envelope = jws.flattened(header, raw, _signing_key(signer, forged))
    if forging.SIGNATURE_LENGTH in forged:
        shorter = keys.from_base64url(envelope["signature"])[:-1]
        envelope["signature"] = keys.base64url(shorter)
    if forging.NO_SIGNATURE in forged:
        del envelope["signature"]
    return json.dumps(envelope).encode()


def _as_cose(
    payload: Mapping[str, Any], signer: PrivateKey, chain: Sequence[bytes], forged: Mapping[str, Any]
) -> bytes:
    raw = b"no payload" if forging.UNDECODABLE in forged else cbor.encode(dict(payload))
    header = cose.protected_header(signer, chain)
    if forging.ALGORITHM in forged:
        header[cose.ALGORITHM] = _FOREIGN_COSE_ALGORITHM
    parts = cose.sign1(header, raw, _signing_key(signer, forged))
    if forging.SIGNATURE_LENGTH in forged:
        parts[-1] = parts[-1][:-1]
    if forging.NO_SIGNATURE in forged:
        parts[-1] = b""
    return cose.encode(parts)


def _signing_key(signer: PrivateKey, forged: Mapping[str, Any]) -> PrivateKey:
    return keys.make(keys.kind_of(signer)) if forging.SIGNATURE in forged else signer


def form_of(content: bytes) -> str:
    """Tell in which form a request is, by how it begins."""
    return JWS if content.lstrip()[:1] == b"{" else COSE


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a board must know of another's request: by which id and nonce its profile is fetched."""

    request_id: str
    nonce: str


def read_forwarded(content: bytes) -> Forwarded:
    """Read the request of another device; whether it is a good one is for the service to say.

    :raises ValueError: there is no id and nonce in it.
    """
    try:
        if form_of(content) == JWS:
            fields = json.loads(jws.payload_of_flattened(content))
            nonce = fields["nonce"]
        else:
            fields = cbor.decode(cose.payload_of(content))
            nonce = keys.base64url(fields["nonce"])
        request_id = str(uuid.UUID(fields["request_id"]))
        keys.from_base64url(nonce)
    except (jws.NoJws, cbor.DecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("the forwarded file is no provisioning request") from error
    return Forwarded(request_id, nonce)
