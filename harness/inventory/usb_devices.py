"""USB devices and the boards that they are.

The serial ports of one USB device are those of one board. Two devices with one serial number are two boards:
a device is told by its serial number and its location together. A device is of the kind whose profile fits
its ports most closely.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board
from harness.inventory.serial_ports import natural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.inventory.board import Endpoint
    from harness.inventory.profiles import Profile
    from harness.inventory.serial_ports import SerialPort


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbDevice:
    """A USB device with serial ports.

    :ivar serial_number: the serial number that it shows; ``None``: none.
    :ivar location: where it is plugged in; ``None`` where the system does not say.
    :ivar ports: its ports, in the order of their interfaces.
    """

    serial_number: str | None
    location: str | None
    ports: tuple[SerialPort, ...]

    @property
    def place(self) -> str:
        """Where it is: its location, or the path of its first port."""
        return self.location or self.ports[0].device

    def interfaces(self, expected: Iterable[int]) -> dict[int, SerialPort]:
        """Return its ports by interface; of several on one interface the first counts.

        :param expected: interfaces that boards of its kind have. Where the system does not tell the numbers
            of the ports' interfaces, their order decides.
        """
        if any(port.interface is not None for port in self.ports):
            told = [(port.interface, port) for port in self.ports if port.interface is not None]
        else:
            told = list(zip(sorted(set(expected)), self.ports, strict=False))
        return dict(reversed(told))


def usb_devices(ports: Iterable[SerialPort]) -> list[UsbDevice]:
    """Return the USB devices of the host's serial ports, in the order of serial number and location.

    :param ports: the host's serial ports; those that are not on USB are left out.
    """
    groups: dict[tuple[str | None, str | None], list[SerialPort]] = {}
    for port in ports:
        if port.vid is not None:
            somewhere = port.serial_number or port.location
            groups.setdefault((port.serial_number, port.location if somewhere else port.device), []).append(
                port
            )
    devices = [
        UsbDevice(
            serial_number=serial,
            location=group[0].location,
            ports=tuple(sorted(group, key=_order)),
        )
        for (serial, _), group in groups.items()
    ]
    return sorted(devices, key=lambda device: (device.serial_number or "", natural(device.place)))


def _order(port: SerialPort) -> tuple[int, list[tuple[int, str]]]:
    return (-1 if port.interface is None else port.interface, natural(port.device))


def shared_serials(devices: Iterable[UsbDevice], described: Iterable[str | None] = ()) -> frozenset[str]:
    """Return the serial numbers by which boards are not told apart.

    :param devices: the boards' devices: those that more than one shows.
    :param described: what the boards of a rig file have: those that more than one has, there or not.
    """
    shown = Counter(device.serial_number for device in devices)
    written = Counter(described)
    return frozenset(
        serial for counted in (shown, written) for serial, count in counted.items() if serial and count > 1
    )


def fitting_profile(profiles: Mapping[str, Profile], ports: Sequence[SerialPort]) -> Profile | None:
    """Return the profile that fits a board most closely; ``None`` when none fits.

    :param profiles: profiles by name.
    :param ports: the board's ports.
    :raises UsageError: two fit equally well.
    """
    ranked = sorted(
        (
            (max(profile.strength(port) for port in ports), profile.name)
            for profile in profiles.values()
            if profile.usb
        ),
        reverse=True,
    )
    if not ranked or ranked[0][0] == 0:
        return None
    best = [name for strength, name in ranked if strength == ranked[0][0]]
    if len(best) > 1:
        raise UsageError(
            f"profiles {' and '.join(sorted(best))} fit the board on {ports[0].device} equally well",
            key="usb",
            value=ports[0].serial_number,
            expected="serial_prefixes or other keys that tell the kinds apart",
        )
    return profiles[best[0]]


def board_on_usb(profile: Profile, device: UsbDevice, shared: Collection[str] = ()) -> Board:
    """Return the board that a USB device is.

    :param profile: its kind.
    :param device: the device.
    :param shared: serial numbers that several boards show: such a board, as one without any, is not told
        apart from others until it is asked.
    """
    serial = device.serial_number
    ambiguous = serial is None or serial in shared
    return Board(
        id=f"{serial or profile.name}@{device.place}" if ambiguous or serial is None else serial,
        kind=profile.name,
        driver=profile.driver,
        capabilities=frozenset(profile.capabilities),
        endpoints=endpoints_on_usb(profile, device),
        properties={**profile.properties, **facts_on_usb(device)},
        ambiguous=ambiguous,
        ports={port.device: port.interface for port in device.ports if port.interface is not None},
    )


def facts_on_usb(device: UsbDevice) -> dict[str, str]:
    """Return what a board's properties tell of its USB device."""
    facts = {USB_SERIAL: device.serial_number, USB_LOCATION: device.location}
    return {name: value for name, value in facts.items() if value is not None}


def endpoints_on_usb(profile: Profile, device: UsbDevice) -> dict[str, Endpoint]:
    """Return the endpoints whose interfaces a device has.

    :param profile: says which interface is for what.
    :param device: the device.
    """
    ports = device.interfaces(endpoint.interface for endpoint in profile.endpoints.values())
    return {
        role: profile.endpoint(role, ports[endpoint.interface].device)
        for role, endpoint in profile.endpoints.items()
        if endpoint.interface in ports
    }


def device_behind(url: str, known: Collection[str]) -> str:
    """Return the device that a path leads to, so that a link and its target are one; a URL stays as it is.

    :param url: a path or a URL.
    :param known: devices that are no links, which need not be looked at: that takes time, and they may vanish
        meanwhile.
    """
    return url if "://" in url or url in known else os.path.realpath(url)
