"""An organisation: everything that is its own. Nobody sees another's."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.clock import Clock
from harness_guardian.fake.records import COUNTED, Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness_guardian.enums import Status
    from harness_guardian.fake.records import (
        ComponentInstance,
        Hold,
        InstanceState,
        ProvisioningRequest,
        System,
        SystemInstance,
        User,
    )

AT_ONCE = 8
"""Requests that are provisioned at the same time; others are queued (guardian fact sheet, A3)."""

MOST_EVENTS = 10_000
"""Events that are remembered; older ones are forgotten."""


class Door:
    """What an organisation remembers of the requests that came in at one Guardian.

    :ivar by_digest: requests by SHA-256 of their bytes.
    :ivar request_ids: every request id that a request has named.
    :ivar nonces: every nonce that a request has named.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.by_digest: dict[bytes, ProvisioningRequest] = {}
        self.request_ids: set[str] = set()
        self.nonces: set[bytes] = set()


class Organisation:
    """Users, systems, devices and requests of one organisation.

    :ivar name: its name.
    :ivar clock: its time: the fake's, shifted by an order.
    :ivar dwell: seconds that each transient status lasts.
    :ivar users: by name.
    :ivar systems: by name.
    :ivar rows: requests by the name of the system that they name, oldest first.
    :ivar doors: what it remembers of each Guardian.
    :ivar holds: by id.
    :ivar queue: lets so many requests be provisioned at a time, the others in the order in which they came.
    :ivar events: what happened, oldest first.
    """

    def __init__(self, name: str, clock: Clock, dwell: float) -> None:
        """Begin with nothing.

        :param clock: the fake's.
        :param dwell: see the class.
        """
        self.name = name
        self.clock = Clock(clock.seconds)
        self.dwell = dwell
        self.users: dict[str, User] = {}
        self.systems: dict[str, System] = {}
        self.rows: dict[str, list[ProvisioningRequest]] = {}
        self.doors = {source: Door() for source in ProvisionSource}
        self.holds: dict[str, Hold] = {}
        self.queue = asyncio.Semaphore(AT_ONCE)
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        # Devices by what they are asked for: a check costs the same among ten and among ten thousand.
        self._by_hw_id: dict[tuple[str, str, str], list[ComponentInstance]] = {}
        self._by_place: dict[tuple[str, str, str], list[ComponentInstance]] = {}
        self._by_serial: dict[tuple[str, int], tuple[ComponentInstance, str]] = {}

    def note(self, kind: str, **facts: Any) -> None:
        """Write down what happened."""
        self.events.append(Event(at=self.clock.seconds(), kind=kind, facts=facts))

    def requests(self) -> Iterator[ProvisioningRequest]:
        """Return every request, system by system."""
        for rows in self.rows.values():
            yield from rows

    def hold_on(self, system: str, status: Status) -> Hold | None:
        """Return what keeps requests of a system in a status, if anything does."""
        return next(
            (hold for hold in self.holds.values() if hold.system == system and hold.status is status), None
        )

    # Devices -----------------------------------------------------------------------------------------

    def add_device(self, device: ComponentInstance) -> None:
        """Remember a device."""
        system = device.system.id
        self._by_hw_id.setdefault((system, device.component_name, device.hw_id), []).append(device)
        self._by_place.setdefault((system, device.instance.id, device.component_name), []).append(device)

    def devices_with_hw_id(self, system: System, component: str, hw_id: str) -> list[ComponentInstance]:
        """Return the devices of a component that have a hardware id, in whatever state and instance."""
        return self._by_hw_id.get((system.id, component, hw_id), [])

    def devices_of(
        self,
        system: System,
        instance: SystemInstance,
        component: str,
        states: Collection[InstanceState] = COUNTED,
    ) -> list[ComponentInstance]:
        """Return the devices of a component in a system instance.

        :param states: of those that count.
        """
        devices = self._by_place.get((system.id, instance.id, component), [])
        return [device for device in devices if device.state in states]

    def add_certificates(self, device: ComponentInstance, request: ProvisioningRequest) -> None:
        """Remember whose the certificates are that a request has brought."""
        for certificate in request.certificates:
            self._by_serial[device.system.id, certificate.number] = (device, certificate.slot)

    def device_with_certificate(self, system: System, number: int) -> tuple[ComponentInstance, str] | None:
        """Return the device that a certificate of a system was issued to, and its slot.

        :param number: the serial number.
        """
        return self._by_serial.get((system.id, number))

    def forget_system(self, system: System) -> None:
        """Forget a system with its requests and devices."""
        del self.systems[system.name]
        for index in (self._by_hw_id, self._by_place):
            for names in [names for names in index if names[0] == system.id]:
                del index[names]
        for key in [key for key in self._by_serial if key[0] == system.id]:
            del self._by_serial[key]
        self.rows.pop(system.name, None)
        for door in self.doors.values():
            door.by_digest = {
                digest: row for digest, row in door.by_digest.items() if row.system_name != system.name
            }
