"""Bootstraps that are not finished: ids that are given away already, but counted as devices only later.

A device is counted when it has acknowledged the end of its bootstrap. When that acknowledgement is lost,
neither end knows whether the other thinks that it is over. The device is then counted as soon as it shows
the certificate that it got, at the LwM2M server; and when it bootstraps again under that id, the id stays its
own. Whatever broke off earlier leaves nothing behind, so that a retry is no second device.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.directory import Directory
    from harness_pelion.fake.records import DeviceRecord

FINISHED = "bootstrap finished"
"""What is noted in the directory's log when a device has what it needs, however that became known."""

MOST_UNFINISHED = 10_000
"""Bootstraps whose end is not known; of more the oldest are forgotten."""


class CertificateGone(Exception):
    """The developer certificate was deleted or deactivated in the meantime."""


@dataclass(slots=True, kw_only=True)
class Reservation:
    """An id that a device is being given.

    :ivar developer: DER of the developer certificate that the device showed.
    :ivar under_way: whether a bootstrap is going on.
    :ivar told: DER of the certificates given away under this id together with the end of the bootstrap.
    """

    device_id: str
    account_id: str
    developer: bytes = field(repr=False)
    under_way: bool = True
    told: list[bytes] = field(default_factory=list, repr=False)


class Reservations:
    """All unfinished bootstraps."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        """Begin without any.

        :param directory: where devices are counted.
        """
        self._directory = directory
        self._clock = clock
        self._all: OrderedDict[str, Reservation] = OrderedDict()

    def begin(self, device_id: str, account_id: str, developer: bytes) -> Reservation:
        """Reserve an id; one that is reserved for the same certificate is taken over."""
        known = self.of(device_id, developer)
        told = known.told if known is not None else []
        made = Reservation(device_id=device_id, account_id=account_id, developer=developer, told=told)
        self._all[device_id] = made
        self._all.move_to_end(device_id)
        while len(self._all) > MOST_UNFINISHED:
            self._all.popitem(last=False)
        return made

    def of(self, device_id: str, developer: bytes) -> Reservation | None:
        """Return what is reserved under an id for devices with a developer certificate."""
        known = self._all.get(device_id)
        return known if known is not None and known.developer == developer else None

    def under_way(self, developer: bytes) -> int:
        """Return how many new devices are being bootstrapped with a developer certificate now."""
        return sum(
            each.under_way and each.developer == developer and self._directory.device(each.device_id) is None
            for each in self._all.values()
        )

    def broken_off(self, reservation: Reservation) -> None:
        """Take note that a bootstrap ended early; without a trace when the device was not told of its end."""
        reservation.under_way = False
        if not reservation.told and self._all.get(reservation.device_id) is reservation:
            self._all.pop(reservation.device_id, None)

    def finish(self, reservation: Reservation, der: bytes) -> DeviceRecord:
        """Count a device: it has what it needs.

        :param der: the LwM2M certificate that it got.
        :raises TooManyDevices: it would be one more than may use the certificate.
        :raises CertificateGone: its developer certificate is not trusted any more.
        """
        self._all.pop(reservation.device_id, None)
        reservation.under_way = False
        found = self._directory.developer_certificate(reservation.developer)
        if found is None:
            raise CertificateGone("the developer certificate is not trusted any more")
        account, certificate = found
        device = self._directory.bootstrapped(
            account,
            certificate,
            device_id=reservation.device_id,
            device_key=fingerprint(reservation.developer),
            now=self._clock.now(account.id),
        )
        self._directory.issued(device, der)
        self._directory.note(account.id, FINISHED, endpoint=device.ca_id, device_id=device.id)
        return device

    def finish_by(self, device_id: str, der: bytes) -> DeviceRecord | None:
        """Count a device that shows what only a bootstrap can have given it; ``None``: none did.

        :raises TooManyDevices: see :meth:`finish`.
        :raises CertificateGone: likewise.
        """
        known = self._all.get(device_id)
        return self.finish(known, der) if known is not None and der in known.told else None


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate as the directory writes it (pelion fact sheet, section 6.3)."""
    return hashlib.sha256(certificate).digest().hex(":")
