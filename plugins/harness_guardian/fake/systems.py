"""System definitions: what may be sent of them, and how systems are made and changed (fact sheet, 10.1)."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from harness_guardian.enums import (
    ApprovalType,
    DuplicatePolicy,
    KeyType,
    ProvisionSource,
    SignerKeyState,
)
from harness_guardian.fake import refusals
from harness_guardian.fake.proofs import key_type, thumbprint
from harness_guardian.fake.records import (
    CertificateSlot,
    ComponentDefinition,
    SignerKey,
    System,
    SystemInstance,
)
from harness_guardian.fake.requests_payload import MOST_SLOTS, first_fault
from harness_guardian.fake.vault_contract import LEAF_HOURS, VaultRefused, VaultTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.fake.envelopes import PublicKey
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.vault_contract import SystemTrust, VaultCalls

VAULT_TIMEOUT = 5.0
"""Seconds that a call of Vault may last, unless the definition says otherwise (fact sheet, section 3)."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Of each unit in which Vault takes a duration; a number alone is seconds."""

_PLAIN = frozenset({"approval_type", "provision_source", "complete_on_install", "vault_timeout"})
"""What of a system can be changed without Vault."""

_KINDS: dict[str, type[ECKey | OKPKey]] = {"EC": ECKey, "OKP": OKPKey}
_PUBLIC_MEMBERS = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}

Model = TypeVar("Model", bound=BaseModel)


def _pattern(text: str) -> str:
    try:
        text.encode()
        re.compile(text)
    except (re.error, OverflowError, RecursionError, UnicodeEncodeError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    return text


def _uuid(text: str) -> str:
    if str(uuid.UUID(text)) != text:
        raise ValueError("not a UUID in its canonical form")
    return text


def _address(name: str) -> str:
    """Return a name that can be one part of an address: a system is asked about by it."""
    if "/" in name or name in {".", ".."}:
        raise ValueError("no name that an address can hold")
    return name


def _life(text: str) -> str:
    """Return a duration that a device's certificate may have."""
    unit = text[-1] if text[-1] in _SECONDS else "s"
    if int(text.removesuffix(unit)) * _SECONDS[unit] > LEAF_HOURS * _SECONDS["h"]:
        raise ValueError(f"expected at most {LEAF_HOURS}h")
    return text


# Names end up in certificates, where X.509 allows 64 characters, and in the header of a report.
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}\z")]
Role = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\z")]
Ttl = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}[smhd]?\z"), AfterValidator(_life)]


class _Sent(BaseModel):
    """Base: no key that nobody reads, no text where a number belongs."""

    model_config = ConfigDict(strict=True, extra="forbid")


class SlotBody(_Sent):
    """A certificate slot; the role is called like the slot unless it is said."""

    slot: Role
    pki_role: Role | None = None
    ttl: Ttl = "8760h"
    key: Annotated[KeyType, Field(strict=False)] = KeyType.P256
    eku: list[Name] = ["clientAuth"]


class ComponentBody(_Sent):
    """A component."""

    name: Name
    certificates: Annotated[list[SlotBody], Field(min_length=1, max_length=MOST_SLOTS)]
    max_instances: Annotated[int, Field(ge=0)] | None = None
    appliance_only: bool = False
    duplicate_hw_id: Annotated[DuplicatePolicy, Field(strict=False)] = DuplicatePolicy.DENY
    hw_id_pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    enabled: bool = True

    @field_validator("certificates")
    @classmethod
    def _slots_differ(cls, slots: list[SlotBody]) -> list[SlotBody]:
        _differ([slot.slot for slot in slots], "slots")
        return slots


class InstanceBody(_Sent):
    """A system instance."""

    name: Name
    id: Annotated[str, AfterValidator(_uuid)] | None = None


class SignerKeyBody(_Sent):
    """The public key of a provisioning package; of a registered one the key itself may be missing."""

    kid: Name
    jwk: dict[str, Any] | None = None
    state: Annotated[SignerKeyState, Field(strict=False)] = SignerKeyState.ACTIVE


class ChangesBody(_Sent):
    """What of a system can be changed."""

    approval_type: Annotated[ApprovalType, Field(strict=False)] = ApprovalType.MANUAL
    provision_source: Annotated[ProvisionSource, Field(strict=False)] = ProvisionSource.CLOUD
    complete_on_install: bool = False
    vault_timeout: Annotated[float, Field(gt=0, le=600)] = VAULT_TIMEOUT
    components: Annotated[list[ComponentBody], Field(min_length=1, max_length=100)]

    @field_validator("components")
    @classmethod
    def _components_differ(cls, components: list[ComponentBody]) -> list[ComponentBody]:
        _differ([component.name for component in components], "components")
        return components


class DefinitionBody(ChangesBody):
    """A system; what Vault makes for it is answered and never sent."""

    name: Annotated[Name, AfterValidator(_address)]
    instances: list[InstanceBody] = []
    signer_keys: list[SignerKeyBody] = []


def _differ(names: Sequence[str], what: str) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"two {what} have one name")


def new_system(organisation: Organisation, definition: Mapping[str, Any]) -> System:
    """Make a system as it is defined; it is nowhere yet.

    :raises Refused: 409 when two of its instances are the same, 422 for a definition that cannot be.
    """
    body = _read(DefinitionBody, definition)
    system = System(
        id=str(uuid.uuid4()),
        name=body.name,
        organisation=organisation.name,
        approval_type=body.approval_type,
        provision_source=body.provision_source,
        complete_on_install=body.complete_on_install,
        vault_timeout=body.vault_timeout,
        components=_components(body.components),
    )
    for instance in body.instances:
        _add_instance(system, instance)
    for key in body.signer_keys:
        _put_signer_key(system, key)
    return system


async def set_up(vault: VaultCalls, system: System) -> SystemTrust:
    """Let Vault make what a system needs.

    :raises Refused: 503.
    """
    try:
        return await vault.set_up(system)
    except (VaultTimeout, VaultRefused) as error:
        raise refusals.vault_unavailable(f"Vault does not set the system up: {error}") from error


async def change(vault: VaultCalls, system: System, changes: Mapping[str, Any]) -> None:
    """Change a system's definition; its roles in Vault follow.

    :raises Refused: 422 for changes that cannot be, 503 when Vault does not follow: then nothing changed.
    """
    wanted = _read(ChangesBody, {**_as_body(system), **changes})
    before = system.components
    if "components" in changes:
        system.components = _components(wanted.components)
        try:
            await vault.set_roles(system)
        except (VaultTimeout, VaultRefused) as error:
            system.components = before
            raise refusals.vault_unavailable(f"Vault does not follow: {error}") from error
    for name in _PLAIN & changes.keys():  # another change may have been made while Vault was at work
        setattr(system, name, getattr(wanted, name))


async def tear_down(vault: VaultCalls, organisation: Organisation, system: System) -> None:
    """Let Vault remove what a system needed; what it does not remove is noted."""
    try:
        await vault.tear_down(system)
    except (VaultTimeout, VaultRefused) as error:
        organisation.note("tear-down-failed", system=system.name, detail=str(error))


def add_instance(system: System, instance: Mapping[str, Any]) -> SystemInstance:
    """Add an instance to a system.

    :raises Refused: 409 when name or id is taken, 422.
    """
    return _add_instance(system, _read(InstanceBody, instance))


def put_signer_key(system: System, key: Mapping[str, Any]) -> tuple[SignerKey, bool]:
    """Register a signer key, or change the state of a registered one.

    :return: the key, and whether it was made now.
    :raises Refused: 422 for what is no public key, or not the one of its name.
    """
    return _put_signer_key(system, _read(SignerKeyBody, key))


def _add_instance(system: System, body: InstanceBody) -> SystemInstance:
    made = SystemInstance(id=body.id or str(uuid.uuid4()), name=body.name)
    if made.id in system.instances:
        raise refusals.name_taken(f"the system has an instance with the id {made.id} already")
    if system.instance_named(made.name) is not None:
        raise refusals.name_taken(f"the system has an instance {made.name!r} already")
    system.instances[made.id] = made
    return made


def _put_signer_key(system: System, body: SignerKeyBody) -> tuple[SignerKey, bool]:
    known = system.signer_keys.get(body.kid)
    if body.jwk is None:
        if known is None:
            raise refusals.not_valid("jwk: expected the public key of a key that is not registered yet")
        made = replace(known, state=body.state)
    else:
        key = _public_key(body.jwk)
        if thumbprint(key) != body.kid:
            raise refusals.not_valid("kid: expected the RFC 7638 thumbprint of the key")
        members = {name: body.jwk[name] for name in _PUBLIC_MEMBERS[body.jwk["kty"]]}
        made = SignerKey(kid=body.kid, jwk=members, state=body.state, public_key=key)
    system.signer_keys[body.kid] = made
    return made, known is None


def _public_key(jwk: dict[str, Any]) -> PublicKey:
    """Read a public key.

    :raises Refused: 422; the text never holds a member of the key.
    """
    if "d" in jwk:
        raise refusals.not_valid("jwk: expected a public key, got a private one")
    try:
        key = _KINDS[jwk["kty"]].import_key(jwk).public_key
    except (JoseError, ValueError, TypeError, KeyError):
        raise refusals.not_valid("jwk: expected a public key of EC P-256 or Ed25519") from None
    if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) and key_type(key) in {
        KeyType.P256,
        KeyType.ED25519,
    }:
        return key
    raise refusals.not_valid("jwk: expected a public key of EC P-256 or Ed25519")


def _components(bodies: Sequence[ComponentBody]) -> dict[str, ComponentDefinition]:
    return {
        body.name: ComponentDefinition(
            name=body.name,
            max_instances=body.max_instances,
            appliance_only=body.appliance_only,
            duplicate_hw_id=body.duplicate_hw_id,
            hw_id_pattern=body.hw_id_pattern,
            enabled=body.enabled,
            certificates=tuple(
                CertificateSlot(
                    slot=slot.slot,
                    pki_role=slot.pki_role or slot.slot,
                    ttl=slot.ttl,
                    key=slot.key,
                    eku=tuple(slot.eku),
                )
                for slot in body.certificates
            ),
        )
        for body in bodies
    }


def _as_body(system: System) -> dict[str, Any]:
    """Return what of a system can be changed, as it would be sent."""
    components = [
        {**asdict(component), "certificates": [_slot(slot) for slot in component.certificates]}
        for component in system.components.values()
    ]
    return {**{name: getattr(system, name) for name in _PLAIN}, "components": components}


def _slot(slot: CertificateSlot) -> dict[str, Any]:
    return {**asdict(slot), "eku": list(slot.eku)}


def _read(model: type[Model], sent: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(dict(sent))
    except ValidationError as error:
        raise refusals.not_valid(first_fault(error)) from None
