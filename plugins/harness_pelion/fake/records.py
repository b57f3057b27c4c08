"""What the fake knows: accounts, their keys, certificates, devices and events. Nothing decides here.

Ids are 32 lower-case hexadecimal digits and times are in UTC (pelion fact sheet, section 4).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_pelion.enums import CertificateService, CertificateStatus, DeviceState, ExecutionMode

if TYPE_CHECKING:
    from datetime import datetime

DEVICES_PER_CERTIFICATE = 100
"""Devices that may use one developer certificate (pelion fact sheet, section 3)."""

CERTIFICATES_PER_ACCOUNT = 10
"""Developer certificates of one account; the real number is not public (pelion fact sheet, section 3)."""

ACTIVE = "ACTIVE"

ADMINISTRATORS = "administrators"


def new_id() -> str:
    """Return an id that nothing has yet."""
    return secrets.token_hex(16)


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who belongs to an account.

    :ivar group: ``administrators`` may manage keys, ``developers`` may not.
    """

    id: str = field(default_factory=new_id)
    name: str
    group: str = ADMINISTRATORS


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """A key by which an account is used.

    :ivar secret: what is sent as the bearer's token.
    :ivar owner: id of its user.
    :ivar status: ``ACTIVE`` or ``INACTIVE``.
    :ivar last_login: when it was used last; ``None``: never.
    """

    id: str = field(default_factory=new_id)
    account_id: str
    name: str
    secret: str = field(repr=False)
    owner: str
    status: str = ACTIVE
    created_at: datetime
    updated_at: datetime
    last_login: datetime | None = None


@dataclass(slots=True, kw_only=True)
class TrustedCertificate:
    """A certificate that an account trusts: one of its own authority, or a developer certificate.

    :ivar der: the certificate.
    :ivar owner_id: id of the key's user who made it.
    :ivar subject: as text, the most particular part first.
    :ivar issuer: likewise.
    :ivar expires: end of its validity.
    """

    id: str
    account_id: str
    name: str
    description: str = ""
    der: bytes = field(repr=False)
    service: CertificateService = CertificateService.BOOTSTRAP
    status: CertificateStatus = CertificateStatus.ACTIVE
    enrollment_mode: bool = False
    owner_id: str
    subject: str
    issuer: str
    expires: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def execution_mode(self) -> ExecutionMode:
        """What devices that use it are for."""
        return ExecutionMode.UNSPECIFIED


@dataclass(slots=True, kw_only=True)
class DeveloperCertificate(TrustedCertificate):
    """A developer certificate; its id is the endpoint name of its devices (pelion fact sheet, section 3).

    :ivar key_der: the private key, PKCS#8.
    :ivar ever: ids of all devices that ever bootstrapped with it, also of those that are deleted.
    """

    key_der: bytes = field(repr=False)
    ever: set[str] = field(default_factory=set, repr=False)

    @property
    def execution_mode(self) -> ExecutionMode:
        """What devices that use it are for."""
        return ExecutionMode.DEVELOPMENT


@dataclass(slots=True, kw_only=True)
class DeviceRecord:
    """A device in the directory (pelion fact sheet, section 6.3).

    :ivar ca_id: id of the certificate that it bootstrapped with.
    :ivar device_key: fingerprint of the certificate that it showed: 32 bytes as hex with colons.
    :ivar bootstrap_expires: end of the certificate that it bootstrapped with.
    :ivar certificate: DER of the LwM2M certificate that it got last; empty before.
    :ivar connector_expires: end of that certificate.
    :ivar lifetime: seconds after which it is deregistered unless it updates; 0 before any registration.
    """

    id: str
    account_id: str
    endpoint_name: str
    ca_id: str
    device_key: str
    state: DeviceState = DeviceState.CLOUD_ENROLLING
    execution_mode: ExecutionMode = ExecutionMode.DEVELOPMENT
    endpoint_type: str = ""
    name: str = ""
    description: str = ""
    vendor_id: str = ""
    device_class: str = ""
    serial_number: str = ""
    certificate: bytes = field(default=b"", repr=False)
    lifetime: int = 0
    bootstrapped_at: datetime | None = None
    bootstrap_expires: datetime | None = None
    connector_expires: datetime | None = None
    registered_at: datetime | None = None
    updated_registration_at: datetime | None = None
    custom_attributes: dict[str, str] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class DeviceEvent:
    """Something that happened to a device.

    :ivar device_id: empty for a device that was refused.
    :ivar kind: what it was: a word of :class:`~harness_pelion.enums.EventType`, or the documented type of a
        new record's event.
    :ivar changes: the fields that changed and what they are now.
    :ivar data: what else is known of it.
    """

    id: str = field(default_factory=new_id)
    account_id: str
    device_id: str
    kind: str
    description: str
    state_change: bool
    changes: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime


@dataclass(slots=True, kw_only=True)
class Account:
    """An account: whoever has one of its keys sees all that is in it, and nothing else.

    :ivar status: ``ENROLLING``, ``ACTIVE``, ``RESTRICTED`` or ``SUSPENDED``.
    :ivar users: by their names.
    :ivar keys: by their ids; the secrets find them in :class:`~harness_pelion.fake.accounts.Accounts`.
    :ivar certificates: by their ids, oldest first.
    :ivar devices: by their ids, oldest first.
    :ivar events: oldest first.
    :ivar devices_per_certificate: how many may use one developer certificate.
    :ivar certificates_limit: developer certificates that it may have.
    """

    id: str = field(default_factory=new_id)
    name: str
    status: str = ACTIVE
    created_at: datetime
    users: dict[str, User] = field(default_factory=dict, repr=False)
    keys: dict[str, ApiKey] = field(default_factory=dict, repr=False)
    certificates: dict[str, TrustedCertificate] = field(default_factory=dict, repr=False)
    devices: dict[str, DeviceRecord] = field(default_factory=dict, repr=False)
    events: list[DeviceEvent] = field(default_factory=list, repr=False)
    devices_per_certificate: int = DEVICES_PER_CERTIFICATE
    certificates_limit: int = CERTIFICATES_PER_ACCOUNT

    def developer_certificates(self) -> list[DeveloperCertificate]:
        """Return its developer certificates, oldest first."""
        return [each for each in self.certificates.values() if isinstance(each, DeveloperCertificate)]
