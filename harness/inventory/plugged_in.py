"""What is plugged in now, and which board of a session it is or may be.

What :mod:`harness.inventory.presence` keeps of devices and of boards.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.inventory.board import USB_LOCATION, USB_SERIAL

if TYPE_CHECKING:
    from harness.inventory.board import Board
    from harness.inventory.serial_ports import SerialPort

#: What tells a USB device from all others that are there: its serial number, and its place.
Key = tuple[str | None, str]


def key_of(port: SerialPort) -> Key:
    """Return what tells a port's device; a port of which the system says nothing is one of its own."""
    serial = port.serial_number or None
    return (serial, port.location or ("" if serial else port.device))


@dataclass(slots=True)
class Device:
    """What is plugged in at one place.

    :ivar key: what tells it from all others that are there.
    :ivar late: it came after the session began.
    :ivar ports: its ports by path.
    :ivar question: number of the question that it was asked and has not answered.
    :ivar answer: who it said that it is.
    :ivar by_serial: it was taken for a board that had been away, by its serial number alone.
    """

    key: Key
    late: bool
    ports: dict[str, SerialPort] = field(default_factory=dict)
    question: int | None = None
    answer: str | None = None
    by_serial: bool = False

    @property
    def serial(self) -> str | None:
        """The serial number that it shows."""
        return self.key[0]

    @property
    def place(self) -> str:
        """Where it is."""
        return self.key[1]


@dataclass(slots=True)
class Member:
    """One board of the session.

    :ivar board: what was last known of it.
    :ivar interfaces: the USB interface of each role's port, as soon as its ports were seen.
    :ivar away: it is lost.
    :ivar at: the device that it is, when that was seen.
    """

    board: Board
    interfaces: dict[str, int | None] | None = None
    away: bool = False
    at: Key | None = None

    @property
    def serial(self) -> str | None:
        """The serial number that it showed last."""
        return self.board.properties.get(USB_SERIAL) or None

    @property
    def paths(self) -> dict[str, str]:
        """Its endpoints that are devices of this host, by role."""
        return {role: one.url for role, one in self.board.endpoints.items() if "://" not in one.url}

    @property
    def on_usb(self) -> bool:
        """Whether it was found on USB, and can be found there again."""
        return USB_SERIAL in self.board.properties or USB_LOCATION in self.board.properties

    def learn(self, device: Device) -> bool:
        """Learn on which interfaces its ports are, from the device that it is.

        :param device: the device.
        :return: whether the ports are there that it was found with; an endpoint may be another device's.
        """
        by_name = {name: port for port in device.ports.values() for name in (port.device, *port.links)}
        here = {role: by_name[path].interface for role, path in self.paths.items() if path in by_name}
        missing = {path for role, path in self.paths.items() if role not in here}
        if not here or missing & self.board.ports.keys():
            return False
        self.interfaces = here
        return True

    def moved_to(self, device: Device, described: Board | None) -> Board | None:
        """Describe it at a device; ``None`` as long as not all of its ports are there.

        :param device: the device.
        :param described: what profiles and rig file make of the device; counts where its own ports were never
            seen.
        """
        roles = self.paths.keys() if self.interfaces is None else self.interfaces.keys()
        if self.interfaces is None:
            urls = {role: one.url for role, one in described.endpoints.items()} if described else {}
        else:
            by_interface = {port.interface: port.device for port in device.ports.values()}
            urls = {
                role: by_interface[interface]
                for role, interface in self.interfaces.items()
                if interface in by_interface
            }
        if not roles <= urls.keys():
            return None
        endpoints = {role: replace(self.board.endpoints[role], url=urls[role]) for role in roles}
        port = next(iter(device.ports.values()))
        seen = {USB_SERIAL: device.serial, USB_LOCATION: port.location}
        return replace(
            self.board,
            endpoints={**self.board.endpoints, **endpoints},
            properties={**self.board.properties, **{key: value for key, value in seen.items() if value}},
            ports={one.device: one.interface for one in device.ports.values() if one.interface is not None},
        )
