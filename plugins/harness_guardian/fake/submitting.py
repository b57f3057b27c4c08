"""What becomes of bytes that somebody submits: a row, and what it says before anything is verified."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_guardian.fake.envelopes import Envelope, read_envelope
from harness_guardian.fake.records import ProvisioningRequest
from harness_guardian.fake.requests_payload import read_identity, read_nonce, read_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import System, SystemInstance, User
    from harness_guardian.fake.requests_payload import Identity, RequestPayload


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a submitted request came to.

    :ivar created: whether its row is new; the same bytes come to the same row.
    """

    request: ProvisioningRequest
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that could be read.

    :ivar digest: SHA-256 of its bytes.
    :ivar payload: ``None`` when it breaks the schema, for the reason of ``fault``.
    """

    content: bytes
    media_type: str
    digest: bytes
    envelope: Envelope
    identity: Identity
    payload: RequestPayload | None
    fault: str | None


def read(content: bytes, media_type: str) -> Arrival:
    """Read what somebody submits.

    :raises Refused: 400 when its payload cannot be read or does not say of whom it is, 413, 415.
    """
    envelope = read_envelope(content, media_type)
    identity = read_identity(envelope.payload)
    payload, fault = None, None
    try:
        payload = read_payload(envelope.payload)
    except ValueError as error:
        fault = str(error)
    return Arrival(
        content=content,
        media_type=media_type,
        digest=hashlib.sha256(content).digest(),
        envelope=envelope,
        identity=identity,
        payload=payload,
        fault=fault,
    )


def new_row(
    organisation: Organisation,
    arrival: Arrival,
    *,
    door: ProvisionSource,
    number: int,
    uploader: User | None,
    id_taken: bool,
) -> ProvisioningRequest:
    """Make the row of a request, and remember what it has used up.

    :param id_taken: whether there is a row of its request id at this door, whosever.
    """
    identity, payload = arrival.identity, arrival.payload
    memory = organisation.doors[door]
    named_id = str(identity.request_id)
    nonce = read_nonce(arrival.envelope.payload)
    replayed = named_id in memory.request_ids or (nonce is not None and nonce in memory.nonces)
    system = organisation.systems.get(identity.system)
    name, identifier = _stated_instance(arrival.envelope.payload)
    instance = None if system is None else find_instance(system, name, identifier)
    row = ProvisioningRequest(
        number=number,
        id=str(uuid.uuid4()) if replayed or id_taken or not _is_uuid(named_id) else named_id,
        organisation=organisation.name,
        door=door,
        content=arrival.content,
        media_type=arrival.media_type,
        uploaded_by=None if uploader is None else uploader.name,
        created_at=organisation.clock.seconds(),
        envelope=arrival.envelope,
        payload=payload,
        payload_fault=arrival.fault,
        nonce=nonce,
        replayed=replayed or id_taken,
        system_name=identity.system,
        system_instance_name=(name or "") if instance is None else instance.name,
        system_instance_id=(identifier or "") if instance is None else instance.id,
        component_name=identity.component,
        hw_id=identity.hw_id,
        approval_type=None if system is None else system.approval_type,
        system=system,
        system_instance=instance,
        component=None if system is None else system.components.get(identity.component),
    )
    memory.by_digest[arrival.digest] = row
    memory.request_ids |= {named_id, row.id}
    if nonce is not None:
        memory.nonces.add(nonce)
    return row


def find_instance(system: System, name: str | None, identifier: str | None) -> SystemInstance | None:
    """Return the instance of an id, a name or both, if the system has it."""
    if identifier is not None:
        found = system.instances.get(identifier)
        return found if found is None or name in {None, found.name} else None
    return None if name is None else system.instance_named(name)


def _stated_instance(payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return name and id of the instance that a payload names, also of one that breaks the schema."""
    stated = payload.get("system_instance")
    if not isinstance(stated, dict):
        return None, None
    return _written(stated.get("name")), _written(stated.get("id"))


def _written(value: Any) -> str | None:
    """Return a text that can be shown; JSON can name half a character, which nobody could write again."""
    try:
        return value if isinstance(value, str) and value.encode() else None
    except UnicodeEncodeError:
        return None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
