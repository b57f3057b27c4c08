"""Which USB device is which board of the rig file.

Who a board said it is counts before its USB serial number, and that before the place where the file has it:
boards that were swapped get each other's entries right. Pure but for asking which device a path leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.usb_devices import device_behind
from harness.toml_files import dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.inventory.usb_devices import UsbDevice
    from harness.rig import Rig, RigBoard


@dataclass(frozen=True, slots=True)
class Matching:
    """What came of looking for the boards of a rig file.

    :ivar devices: the device of a board, by the board's number in the file.
    :ivar missing: why a board has none, by its number; a board that is not looked for on USB is in neither.
    :ivar place: tells the place of the device that has a port; ``None`` of one that no device has.
    """

    devices: Mapping[int, UsbDevice]
    missing: Mapping[int, str]
    place: Callable[[str], str | None]


def match_entries(
    rig: Rig | None,
    devices: Sequence[UsbDevice],
    identities: Mapping[str, str],
    fits: Callable[[RigBoard, UsbDevice], bool],
) -> Matching:
    """Find the device of each board of a rig file.

    :param rig: the file, if there is one.
    :param devices: the host's USB devices that have serial ports.
    :param identities: who the boards said they are that were asked, by where they are
        (:attr:`~harness.inventory.usb_devices.UsbDevice.place`).
    :param fits: tells whether a device can be of a board's kind; asked where nothing but its place speaks for
        it, so that whatever is plugged in there is not taken for the board.
    :raises UsageError: a board says that it is another one than the file has it.
    """
    if rig is None:
        return Matching({}, {}, lambda _url: None)
    return _Matcher(rig, devices, identities, fits).match()


class _Matcher:
    """Gives each device to one board at most: first to those for whom the most speaks."""

    def __init__(
        self,
        rig: Rig,
        devices: Sequence[UsbDevice],
        identities: Mapping[str, str],
        fits: Callable[[RigBoard, UsbDevice], bool],
    ) -> None:
        self._rig = rig
        self._devices = devices
        self._identities = identities
        self._fits = fits
        self._found: dict[int, UsbDevice] = {}
        self._taken: dict[str, RigBoard] = {}

    def match(self) -> Matching:
        for rule in (self._by_identity, self._by_serial_and_location, self._by_serial, self._by_location):
            for number, entry in enumerate(self._rig.boards):
                if number not in self._found:
                    device = rule(number, entry)
                    if device is not None:
                        self._found[number] = device
                        self._taken[device.place] = entry
        missing = {
            number: reason
            for number, entry in enumerate(self._rig.boards)
            if number not in self._found and (reason := self._why_missing(entry)) is not None
        }
        return Matching(self._found, missing, self._place_behind)

    def _free(self) -> Iterable[UsbDevice]:
        return (device for device in self._devices if device.place not in self._taken)

    def _could_be(self, entry: RigBoard, device: UsbDevice) -> bool:
        """Tell whether what a device said, if it was asked, speaks against its being a board."""
        said = self._identities.get(device.place)
        return said is None or entry.identity in {None, said}

    def _by_identity(self, _number: int, entry: RigBoard) -> UsbDevice | None:
        if entry.identity is None:
            return None
        return next((one for one in self._free() if self._identities.get(one.place) == entry.identity), None)

    def _showing(self, serial: str | None) -> list[UsbDevice]:
        return [device for device in self._devices if serial is not None and device.serial_number == serial]

    def _by_serial_and_location(self, _number: int, entry: RigBoard) -> UsbDevice | None:
        """Of two boards with one serial number that were not asked, one is where the file has it."""
        if entry.usb_serial is None or entry.location is None:
            return None
        return next(
            (
                device
                for device in self._free()
                if (device.serial_number, device.location) == (entry.usb_serial, entry.location)
                and self._could_be(entry, device)
            ),
            None,
        )

    def _by_serial(self, number: int, entry: RigBoard) -> UsbDevice | None:
        """A serial number speaks for a board when it is one device's alone, and one board's."""
        showing = self._showing(entry.usb_serial)
        alike = [one for one in self._rig.boards if one.usb_serial == entry.usb_serial]
        if len(showing) != 1 or showing[0].place in self._taken:
            return None
        (device,) = showing
        if self._could_be(entry, device):
            # Of several boards with this number only what it said could tell which one is here.
            return device if len(alike) == 1 else None
        if len(alike) == 1:
            raise UsageError(
                f"the board with the USB serial number {entry.usb_serial} says that it is another",
                file=self._rig.file,
                key=f"{dotted(('board', number))}.identity",
                value=entry.identity,
                expected=f"{self._identities[device.place]!r}, or the serial number of that board",
            )
        return None

    def _by_location(self, _number: int, entry: RigBoard) -> UsbDevice | None:
        """Where nothing else is known of a board, or nothing else could be found out, its place counts."""
        if entry.usb_serial is not None:
            return None
        places = {self._place_behind(endpoint.url) for endpoint in entry.endpoints.values()}
        for device in self._free():
            there = entry.location is not None and entry.location == device.location
            named = device.place in places or (there and self._fits(entry, device))
            if named and self._could_be(entry, device):
                return device
        return None

    def _place_behind(self, url: str | None) -> str | None:
        """Return the place of the USB device that has a port; ``None`` when none has it."""
        return None if url is None else self._place_of_path.get(device_behind(url, self._place_of_path))

    @cached_property
    def _place_of_path(self) -> dict[str, str]:
        return {port.device: device.place for device in self._devices for port in device.ports}

    def _why_missing(self, entry: RigBoard) -> str | None:
        """Say why a board that is looked for on USB has no device; ``None`` of one that is not."""
        said = "" if entry.identity is None else f" says that it is {entry.identity}"
        if entry.usb_serial is not None:
            return self._why_not_shown(entry, said)
        elsewhere = f", and no board{said}" if said else ""
        if entry.location is not None:
            there = next((one.place for one in self._devices if one.location == entry.location), None)
            if there is None:
                return f"nothing is plugged in at {entry.location}{elsewhere}"
            known = self._name(there) or f"no {entry.profile or 'board that a profile fits'}"
            return f"what is plugged in at {entry.location} is {known}{elsewhere}"
        urls = [endpoint.url for endpoint in entry.endpoints.values() if endpoint.url is not None]
        for url in urls:
            place = self._place_behind(url)
            if place is not None:
                return f"what is at {url} is {self._name(place)}{elsewhere}"
        by_ssh = entry.ssh is not None and entry.profile is not None  # who it is, its host key proves
        return None if urls or by_ssh else f"no board{said}"

    def _why_not_shown(self, entry: RigBoard, said: str) -> str:
        showing = self._showing(entry.usb_serial)
        if not showing:
            return f"no serial port has the USB serial number {entry.usb_serial}"
        shown = f"the USB serial number {entry.usb_serial}"
        if all(device.place in self._taken for device in showing):
            names = {self._taken[device.place].name for device in showing}
            return f"what has {shown} is board {' and '.join(sorted(names))}"
        place = "" if entry.location is None else f" is at {entry.location}"
        if not place and not said:
            return f"{len(showing)} boards have {shown}, and no identity tells which it is"
        return f"of what has {shown} none{' or'.join(filter(None, (place, said)))}"

    def _name(self, place: str) -> str | None:
        return f"board {self._taken[place].name}" if place in self._taken else self._identities.get(place)
