"""What the fake remembers: organisations, users, systems, devices and their provisioning requests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness_guardian.enums import ERROR_LABELS, STATUS_TEXTS, DuplicatePolicy, SignerKeyState, Status

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    from harness_guardian.enums import ApprovalType, ErrorCode, KeyType, ProvisionSource, Role
    from harness_guardian.fake.envelopes import Envelope
    from harness_guardian.fake.requests_payload import RequestPayload
    from harness_guardian.fake.vault_contract import SystemTrust

FINAL = frozenset({Status.PROVISIONED, Status.REJECTED_BY_USER, Status.REJECTED_BY_SYSTEM, Status.ERROR})
"""States that nothing leaves (guardian fact sheet, section 2)."""

TRANSIENT = frozenset({Status.VERIFYING, Status.AUTO_APPROVED, Status.APPROVING, Status.REJECTING})
"""States that the service leaves by itself when the dwell is over."""


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who may use an organisation's Guardian.

    :ivar organisation: its name.
    :ivar iso: whether dates are shown in ISO format.
    :ivar local_time: whether dates are shown in local time.
    """

    name: str
    role: Role
    organisation: str
    token: str = field(repr=False)
    iso: bool = False
    local_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSlot:
    """A certificate that a component has (guardian fact sheet, section 10.1).

    :ivar ttl: how long it is valid, as Vault reads it, for example ``8760h``.
    :ivar eku: names of extended key usages, for example ``clientAuth``.
    """

    slot: str
    pki_role: str
    ttl: str
    key: KeyType
    eku: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDefinition:
    """A kind of device of a system (guardian fact sheet, section 10.1).

    :ivar max_instances: in one system instance; ``None``: any number.
    :ivar appliance_only: whether only an appliance may provision it initially.
    :ivar hw_id_pattern: regular expression for the whole hardware id; ``None``: any.
    """

    name: str
    certificates: tuple[CertificateSlot, ...]
    max_instances: int | None = None
    appliance_only: bool = False
    duplicate_hw_id: DuplicatePolicy = DuplicatePolicy.DENY
    hw_id_pattern: str | None = None
    enabled: bool = True

    def slot(self, name: str) -> CertificateSlot | None:
        """Return the slot of a name, if there is one."""
        return next((slot for slot in self.certificates if slot.slot == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInstance:
    """One of a system's instances, for example a ward.

    :ivar id: UUID.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerKey:
    """The public half of a provisioning package's key.

    :ivar kid: RFC 7638 thumbprint.
    """

    kid: str
    jwk: dict[str, str]
    state: SignerKeyState
    public_key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey = field(repr=False)


@dataclass(slots=True, kw_only=True)
class System:
    """A system definition with its instances and keys.

    :ivar id: UUID; Vault's mounts are named after its 32 digits, see :attr:`vault_id`.
    :ivar organisation: name of the organisation that it belongs to.
    :ivar components: by name.
    :ivar instances: by id.
    :ivar signer_keys: by kid.
    :ivar trust: what Vault made for it; ``None`` until then.
    :ivar vault_timeout: seconds that one call of Vault may last.
    """

    id: str
    name: str
    organisation: str
    approval_type: ApprovalType
    provision_source: ProvisionSource
    complete_on_install: bool
    vault_timeout: float
    components: dict[str, ComponentDefinition]
    instances: dict[str, SystemInstance] = field(default_factory=dict)
    signer_keys: dict[str, SignerKey] = field(default_factory=dict)
    trust: SystemTrust | None = None

    @property
    def vault_id(self) -> str:
        """The part of Vault's paths that is this system's."""
        return self.id.replace("-", "")

    def instance_named(self, name: str) -> SystemInstance | None:
        """Return the instance of a name, if there is one."""
        return next((each for each in self.instances.values() if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """A device's certificate.

    :ivar serial: hexadecimal digits with colons, as Vault writes it.
    :ivar pem: of the leaf alone.
    """

    slot: str
    serial: str
    pem: str

    @property
    def number(self) -> int:
        """The serial number."""
        return int(self.serial.replace(":", ""), 16)


class InstanceState(StrEnum):
    """What has become of a component instance."""

    APPROVED = "approved"
    """Its first request is approved and waits to be provisioned."""
    PROVISIONING = "provisioning"
    """Its first request has passed the checks that begin provisioning: its place is taken."""
    PROVISIONED = "provisioned"
    FAILED = "failed"
    """Its first request failed."""
    RETIRED = "retired"
    """Another device took its place (:attr:`DuplicatePolicy.ALLOW_SAME_INSTANCE`)."""


COUNTED = frozenset({InstanceState.APPROVED, InstanceState.PROVISIONING, InstanceState.PROVISIONED})
"""What counts as an instance when a request is verified (guardian fact sheet, section 3)."""

SEATED = frozenset({InstanceState.PROVISIONING, InstanceState.PROVISIONED})
"""What counts when provisioning begins: of two approved requests the one that begins first has the place."""


@dataclass(slots=True, kw_only=True)
class ComponentInstance:
    """A device as Guardian knows it, through all its provisionings, at whichever door.

    :ivar id: UUID.
    :ivar certificates: of the last provisioning, one a slot.
    :ivar open_requests: ids of requests about it that are verified and not final yet.
    :ivar verification: lets its reprovisioning requests be verified one after the other.
    """

    id: str
    system: System
    instance: SystemInstance
    component_name: str
    hw_id: str
    created_at: float
    state: InstanceState = InstanceState.APPROVED
    certificates: tuple[IssuedCertificate, ...] = ()
    open_requests: set[tuple[ProvisionSource, str]] = field(default_factory=set)
    verification: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A status that a request entered.

    :ivar text: what a user saw of it.
    :ivar at: seconds since the epoch.
    :ivar by: user name, ``System``, or ``None`` when a device did it.
    :ivar detail: why, of an error or a rejection by the system.
    """

    status: Status
    text: str
    at: float
    by: str | None
    error_code: ErrorCode | None = None
    detail: str | None = None


@dataclass(slots=True, kw_only=True)
class ProvisioningRequest:
    """A row: a provisioning request and what became of it (guardian fact sheet, sections 2 and 4).

    :ivar number: counts requests of the whole fake; the order of lists.
    :ivar id: the request id; the service's own when that of the payload cannot be taken.
    :ivar door: the Guardian that it came in at: the provision source.
    :ivar content: the bytes as they came.
    :ivar uploaded_by: the user who brought it; ``None``: a device.
    :ivar created_at: when it was received, the column *Request created on*.
    :ivar envelope: what it is signed with.
    :ivar payload: ``None`` when the payload breaks the schema.
    :ivar replayed: whether its request id or nonce was used at this door before.
    :ivar system: ``None`` when it names one that is unknown.
    :ivar system_instance_name: as known to the system, else as the request says; so is the id.
    :ivar approval_type: of the system when the request came; ``None`` when that is unknown.
    :ivar component_instance: the device; ``None`` before it is known: an initial request's before approval.
    :ivar provision_ordered_by: who ordered its provisioning.
    :ivar certified_profile: there as soon as it is signed.
    :ivar certificates: that were issued by it.
    :ivar fetched_at: when its certified profile was fetched first.
    :ivar version: grows with whatever changes.
    """

    number: int
    id: str
    organisation: str
    door: ProvisionSource
    content: bytes = field(repr=False)
    media_type: str
    uploaded_by: str | None
    created_at: float
    envelope: Envelope = field(repr=False)
    payload: RequestPayload | None = field(repr=False)
    payload_fault: str | None = None
    nonce: bytes | None = field(repr=False)
    replayed: bool
    system_name: str
    system_instance_name: str
    system_instance_id: str
    component_name: str
    hw_id: str
    approval_type: ApprovalType | None
    system: System | None
    system_instance: SystemInstance | None
    component: ComponentDefinition | None
    status: Status = Status.VERIFYING
    error_code: ErrorCode | None = None
    history: list[HistoryEntry] = field(default_factory=list)
    component_instance: ComponentInstance | None = None
    approved_at: float | None = None
    approved_by: str | None = None
    rejected_at: float | None = None
    rejected_by: str | None = None
    provisioned_at: float | None = None
    provisioned_by: str | None = None
    provision_ordered_by: str | None = None
    response_id: str | None = None
    response_created_at: float | None = None
    certified_profile: str | None = field(default=None, repr=False)
    certificates: tuple[IssuedCertificate, ...] = ()
    fetched_at: float | None = None
    version: int = 0
    changed: asyncio.Event | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[ProvisionSource, str]:
        """What it is known by: request ids are unique at a door."""
        return self.door, self.id

    @property
    def reprovision(self) -> bool:
        """Whether a device identity signed it, so it says."""
        return bool(self.envelope.chain)

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.status in FINAL

    @property
    def status_text(self) -> str:
        """What a user sees of its status; of an error the label of its code."""
        return status_text(self.status, self.error_code)

    def enter(
        self,
        status: Status,
        *,
        at: float,
        by: str | None,
        error_code: ErrorCode | None = None,
        detail: str | None = None,
    ) -> None:
        """Enter a status: the one way in which status and history change."""
        self.status, self.error_code = status, error_code
        text = status_text(status, error_code)
        self.history.append(
            HistoryEntry(status=status, text=text, at=at, by=by, error_code=error_code, detail=detail)
        )
        self.touch()

    def touch(self) -> None:
        """Wake whoever waits for a change."""
        self.version += 1
        if self.changed is not None:
            self.changed.set()
            self.changed = None


def status_text(status: Status, error_code: ErrorCode | None) -> str:
    """Return what a user sees of a status; of an error the label of its code."""
    return ERROR_LABELS[error_code] if error_code is not None else STATUS_TEXTS[status]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keeps requests of a system in a status until it is let go."""

    id: str
    organisation: str
    system: str
    status: Status
    released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that the service did, for suites to see.

    :ivar kind: for example ``submitted``, ``status``, ``revoked``, ``revocation-failed``.
    """

    at: float
    kind: str
    facts: dict[str, Any]
