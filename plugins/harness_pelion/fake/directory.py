"""The directory: what the bootstrap server and the LwM2M server ask and tell.

States and fields of a device are of the pelion fact sheet, section 6.3; the limit of devices is of section 3.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from cryptography import x509

from harness_pelion.enums import CertificateStatus, DeviceState, EventType
from harness_pelion.fake.choices import FAKE
from harness_pelion.fake.clock import timestamp
from harness_pelion.fake.records import DeviceEvent, DeviceRecord

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.records import Account, DeveloperCertificate

CREATED = "update.device.device-created"
"""Type of the event of a new record, as the public interface's own examples have it."""

EXPIRED = "lifetime"
"""Reason of a registration that ended because nobody updated it in time."""

LONGEST_LOG = 10_000
"""Notes that the servers' log holds of one account; the oldest are lost first."""


class TooManyDevices(Exception):
    """A device that would be one more than may use a certificate."""


class NoSuchDevice(LookupError):
    """A device that the directory does not have, or has no more."""


class Directory:
    """Accounts with their certificates, devices and events.

    :ivar accounts: by their ids.
    """

    def __init__(self, clock: Clock, choices: Choices = FAKE) -> None:
        """Begin without any account."""
        self._clock = clock
        self._choices = choices
        self.accounts: dict[str, Account] = {}
        self._anchors: dict[bytes, DeveloperCertificate] = {}
        self._where: dict[str, str] = {}
        self._log: dict[str, deque[dict[str, Any]]] = {}

    # Certificates ------------------------------------------------------------------------------------

    def trust_anchors(self) -> list[bytes]:
        """Return the DER of every developer certificate of every account that is ``ACTIVE``."""
        return list(self._anchors)

    def developer_certificate(self, der: bytes) -> tuple[Account, DeveloperCertificate] | None:
        """Return whose a developer certificate is, if it is one and ``ACTIVE``."""
        certificate = self._anchors.get(der)
        return None if certificate is None else (self.accounts[certificate.account_id], certificate)

    def certificates_changed(self, account: Account) -> None:
        """Take note that certificates of an account were made, changed or deleted."""
        kept = {der: each for der, each in self._anchors.items() if each.account_id != account.id}
        for certificate in account.developer_certificates():
            if certificate.status is CertificateStatus.ACTIVE:
                kept[certificate.der] = certificate
        self._anchors = kept

    # Devices -----------------------------------------------------------------------------------------

    def device(self, device_id: str) -> DeviceRecord | None:
        """Return a device of any account."""
        account = self.accounts.get(self._where.get(device_id, ""))
        return None if account is None else account.devices.get(device_id)

    def own_device(
        self, account: Account, certificate: DeveloperCertificate, internal_endpoint: str
    ) -> DeviceRecord | None:
        """Return the device that a device says it is, if it may be that one with this certificate.

        :param internal_endpoint: the id that it got when it was bootstrapped before.
        """
        known = account.devices.get(internal_endpoint)
        if known is None or (known.ca_id != certificate.id and not self._choices.device_moves):
            return None
        return known

    def check_room(
        self, account: Account, certificate: DeveloperCertificate, *, now: datetime, reserved: int = 0
    ) -> None:
        """See whether one more device may use a certificate (pelion fact sheet, section 3).

        :param reserved: devices that are being bootstrapped with it now, and are not in the directory yet.
        :raises TooManyDevices: no; that is an event, too.
        """
        users = {each.id for each in account.devices.values() if each.ca_id == certificate.id}
        if self._choices.deleted_devices_count:
            users |= certificate.ever
        count = len(users) + reserved
        if count < account.devices_per_certificate:
            return
        text = f"the certificate is used by {count} devices already"
        event = DeviceEvent(
            account_id=account.id,
            device_id="",
            kind=EventType.REFUSAL,
            description="Device bootstrap refused",
            state_change=False,
            data={"ca_id": certificate.id, "reason": text},
            at=now,
        )
        account.events.append(event)
        raise TooManyDevices(text)

    def bootstrapped(
        self,
        account: Account,
        certificate: DeveloperCertificate,
        *,
        device_id: str,
        device_key: str,
        now: datetime,
    ) -> DeviceRecord:
        """Take note of a device that was bootstrapped: a known one, or a new one.

        :param device_id: the CN of the LwM2M certificate that it got.
        :param device_key: fingerprint of the certificate that it showed: 32 bytes as hex with colons.
        :param now: by the account's time.
        :raises TooManyDevices: it would be one more than may use the certificate; that is an event, too.
        """
        device = account.devices.get(device_id)
        if device is None or device.ca_id != certificate.id:
            self.check_room(account, certificate, now=now)
        if device is None:
            device = self._new_device(account, certificate, device_id, device_key, now)
        device.ca_id = certificate.id
        device.device_key = device_key
        device.bootstrapped_at = device.updated_at = now
        device.bootstrap_expires = certificate.expires
        certificate.ever.add(device.id)
        first = device.state in {DeviceState.UNENROLLED, DeviceState.CLOUD_ENROLLING}
        if first or self._choices.bootstrap_sets_state:
            device.state = DeviceState.BOOTSTRAPPED
        self._tell(device, EventType.BOOTSTRAP, "Device bootstrapped", now, state=device.state.value)
        return device

    def issued(self, device: DeviceRecord, der: bytes) -> None:
        """Take note of the LwM2M certificate that a device got."""
        device.certificate = der
        device.connector_expires = x509.load_der_x509_certificate(der).not_valid_after_utc

    def registered(self, device_id: str, *, lifetime: int, endpoint_type: str = "") -> DeviceRecord:
        """Take note of a registration.

        :param lifetime: seconds until it ends, unless it is updated.
        :param endpoint_type: what the device says it is, for example ``default``.
        :raises NoSuchDevice: it is not in the directory.
        """
        device, now = self._known(device_id)
        device.state = DeviceState.REGISTERED
        device.lifetime = lifetime
        device.endpoint_type = endpoint_type
        device.registered_at = device.updated_registration_at = device.updated_at = now
        self._tell(device, EventType.REGISTRATION, "Device registered", now, state=device.state.value)
        return device

    def updated(self, device_id: str, *, lifetime: int | None = None) -> DeviceRecord:
        """Take note of a registration that was updated.

        :param lifetime: the new one; ``None``: as it was.
        :raises NoSuchDevice: it is not in the directory.
        """
        device, now = self._known(device_id)
        if lifetime is not None:
            device.lifetime = lifetime
        device.updated_registration_at = now
        if self._choices.update_events:
            self._tell(device, EventType.UPDATE, "Device registration updated", now)
        return device

    def deregistered(self, device_id: str, reason: str) -> DeviceRecord:
        """Take note of a registration that ended; of a device that is not registered nothing changes.

        :param reason: why: :data:`EXPIRED`, or for example ``by the device``.
        :raises NoSuchDevice: it is not in the directory.
        """
        device, now = self._known(device_id)
        if device.state is DeviceState.REGISTERED:
            device.state = DeviceState.DEREGISTERED
            device.updated_at = now
            kind = EventType.EXPIRATION if reason == EXPIRED else EventType.DEREGISTRATION
            event = self._tell(device, kind, "Device deregistered", now, state=device.state.value)
            event.data["reason"] = reason
        return device

    def described(self, device_id: str, vendor_id: str | None, device_class: str | None) -> DeviceRecord:
        """Take note of what a device says of itself: 32 hex digits each, ``None``: it does not say.

        :raises NoSuchDevice: it is not in the directory.
        """
        device, now = self._known(device_id)
        device.vendor_id = vendor_id or ""
        device.device_class = device_class or ""
        device.updated_at = now
        return device

    def delete(self, device: DeviceRecord) -> None:
        """Forget a device; its events stay."""
        account = self.accounts[device.account_id]
        account.devices.pop(device.id, None)
        self._where.pop(device.id, None)

    # Log ---------------------------------------------------------------------------------------------

    def note(self, account_id: str, what: str, **details: Any) -> None:
        """Note in the servers' own log what a test may want to know; nothing secret.

        :param account_id: whose it is; empty when nobody knows.
        :param what: for example ``handshake refused``.
        """
        log = self._log.setdefault(account_id, deque(maxlen=LONGEST_LOG))
        log.append({"at": timestamp(self._clock.now(account_id)), "what": what, **details})

    def log(self, account_id: str) -> list[dict[str, Any]]:
        """Return what was noted of an account, oldest first; of nobody's for an empty id."""
        return list(self._log.get(account_id, ()))

    # Helpers -----------------------------------------------------------------------------------------

    def _known(self, device_id: str) -> tuple[DeviceRecord, datetime]:
        device = self.device(device_id)
        if device is None:
            raise NoSuchDevice(device_id)
        return device, self._clock.now(device.account_id)

    def _new_device(
        self,
        account: Account,
        certificate: DeveloperCertificate,
        device_id: str,
        device_key: str,
        now: datetime,
    ) -> DeviceRecord:
        device = DeviceRecord(
            id=device_id,
            account_id=account.id,
            endpoint_name=certificate.id if self._choices.endpoint_is_certificate else device_id,
            ca_id=certificate.id,
            device_key=device_key,
            created_at=now,
            updated_at=now,
        )
        account.devices[device.id] = device
        self._where[device.id] = account.id
        self._tell(device, CREATED, "Device record created", now, state=device.state.value)
        return device

    def _tell(
        self, device: DeviceRecord, kind: str, description: str, now: datetime, **changes: Any
    ) -> DeviceEvent:
        """Add an event; with a state among the changes it is a change of state."""
        event = DeviceEvent(
            account_id=device.account_id,
            device_id=device.id,
            kind=kind,
            description=description,
            state_change="state" in changes,
            changes=changes,
            at=now,
        )
        self.accounts[device.account_id].events.append(event)
        return event
