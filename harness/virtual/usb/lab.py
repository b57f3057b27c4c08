"""The virtual USB lab of a bench: buses, hubs, devices and their ttys, for processes with its environment."""

from __future__ import annotations

import itertools
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BenchFault, UsageError
from harness.virtual.usb import device_tree
from harness.virtual.usb.device_tree import PORT, TTY_PREFIXES, bus_of, hubs_above
from harness.virtual.usb.environment import lab_environment
from harness.virtual.usb.ioctl_server import IoctlServer
from harness.virtual.usb.testbed import HostTree
from harness.virtual.usb.uevents import Uevents

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from harness.virtual.contract import UsbPresentation
    from harness.virtual.loop import Loop
    from harness.virtual.modem_lines import ModemLines
    from harness.virtual.usb.device_tree import SysfsDevice

_TTY = re.compile(r"(ttyACM|ttyUSB)(0|[1-9]\d{0,3})")
# Boards that were not told where to go are plugged into the ports of one hub after the other.
_PORTS_A_HUB = 7
_LAST_DEVICE = 127
_LAST_BUS = 12


@dataclass(eq=False, slots=True)
class _Plugged:
    """A device in its port."""

    port: str
    number: int
    devices: list[SysfsDevice]
    ttys: Collection[str]


class UsbLab:
    """Everything that is plugged in. It belongs to the loop's thread."""

    def __init__(self, loop: Loop, root: Path) -> None:
        """Lay out an empty host.

        :param loop: the bench's loop.
        :param root: an empty directory, the caller's to remove.
        :raises UsageError: umockdev is not installed, or the directory's path is too long.
        :raises BenchFault: there is no inotify instance left.
        """
        self.environment = lab_environment(root)
        self._testbed = HostTree(root)
        self.dev = self._testbed.dev
        with ExitStack() as stack:
            try:
                self._uevents = Uevents(loop, root)
            except OSError as error:
                raise BenchFault(f"the USB lab cannot tell of plugs and unplugs: {error}") from error
            stack.callback(self._uevents.close)
            self._ioctls = IoctlServer(loop, root)
            stack.callback(self._ioctls.close)
            self._open = stack.pop_all()
        self._buses: dict[int, list[SysfsDevice]] = {}
        self._hubs: dict[str, list[SysfsDevice]] = {}
        self._plugged: dict[str, _Plugged] = {}
        # Ports that boards were given and will want again while they are unplugged.
        self._promised: set[str] = set()
        self._ttys: set[str] = set()
        self._numbers: dict[int, itertools.count[int]] = {}

    def free_port(self) -> str:
        """Return a hub port that nothing was ever plugged into, and promise it to the caller.

        :raises BenchFault: there is none left.
        """
        for bus in range(1, _LAST_BUS + 1):
            for hub in range(1, _PORTS_A_HUB + 1):
                for at in range(1, _PORTS_A_HUB + 1):
                    port = f"{bus}-{hub}.{at}"
                    if port not in self._promised and self._obstacle(port) is None:
                        self._promised.add(port)
                        return port
        raise BenchFault("every hub port of the USB lab is taken")

    def check_port(self, port: str, own: str | None = None) -> None:
        """Refuse a port that a device cannot be plugged into.

        :param port: the port.
        :param own: where the device is plugged in now, if it is.
        :raises UsageError: malformed, taken, or below or above another device.
        """
        if not PORT.fullmatch(port) or bus_of(port) > _LAST_BUS:
            raise UsageError(
                "not a hub port",
                key="port",
                value=port,
                expected=f"for example 1-2 or 1-1.4, buses 1 to {_LAST_BUS}",
            )
        obstacle = self._obstacle(port, own)
        if obstacle is not None:
            raise UsageError(obstacle, key="port", value=port, expected="a free hub port")

    def _obstacle(self, port: str, own: str | None = None) -> str | None:
        others = self._plugged.keys() - {own}
        if port in others:
            return "another device is plugged in there"
        if any(each.startswith(f"{port}.") for each in others):
            return "a hub is plugged in there"
        for hub in hubs_above(port):
            if hub in others:
                return f"{hub} is no hub but another device"
        return None

    def take_tty(self, port_driver: str, name: str | None, avoid: Collection[str]) -> str:
        """Take a name for a tty.

        :param port_driver: the driver of its device, which gives the prefix.
        :param name: the name wanted; ``None``: the lowest free number.
        :param avoid: names to pass over though they are free.
        :raises UsageError: the name does not fit or is taken.
        """
        if name is None:
            candidates = (f"{TTY_PREFIXES[port_driver]}{number}" for number in itertools.count())
            name = next(each for each in candidates if each not in self._ttys and each not in avoid)
        else:
            self.check_tty(port_driver, name)
        self._ttys.add(name)
        return name

    def check_tty(self, port_driver: str, name: str, own: Collection[str] = ()) -> None:
        """Refuse a name for a tty.

        :param port_driver: the driver of its device, which gives the prefix.
        :param name: the name wanted.
        :param own: names that the device has now.
        :raises UsageError: the name does not fit or another device's tty has it.
        """
        found = _TTY.fullmatch(name)
        prefix = TTY_PREFIXES[port_driver]
        if found is None or found[1] != prefix:
            raise UsageError(
                f"not a name that driver {port_driver} gives",
                key="names",
                value=name,
                expected=f"{prefix}3 or the like",
            )
        if name in self._ttys and name not in own:
            raise UsageError("another tty has this name now", key="names", value=name, expected="a free name")

    def give_back_tty(self, name: str) -> None:
        """Let others have a name."""
        self._ttys.discard(name)

    def plug(
        self,
        usb: UsbPresentation,
        *,
        serial: str | None,
        port: str,
        ttys: Mapping[str, str],
        lines: Mapping[str, ModemLines],
    ) -> None:
        """Plug a device in; the links to its ptys exist.

        :param usb: how it presents itself.
        :param serial: its serial number string, if it has one.
        :param port: a port that :meth:`check_port` let pass.
        :param ttys: names of its ttys by role.
        :param lines: their modem lines by role.
        """
        self._pull_empty_hubs(port)
        self._build_up_to(port)
        number = self._next_number(bus_of(port))
        devices = device_tree.describe_device(usb, serial=serial, port=port, number=number, ttys=ttys)
        for role, tty in ttys.items():
            self._ioctls.serve(tty, lines[role])
        self._plugged[port] = _Plugged(port, number, devices, list(ttys.values()))
        self._add(devices)

    def _add(self, devices: Sequence[SysfsDevice]) -> None:
        """Let devices appear, parents first, and tell of each when all of it is there."""
        for device in devices:
            self._testbed.add(device)
        for device in devices:
            self._uevents.tell(device, "add")
        for device in devices:
            if device.subsystem == "usb" and "DRIVER" in device.kernel:
                self._uevents.tell(device, "bind")

    def unplug(self, port: str) -> None:
        """Pull a device; the links to its ptys are gone already."""
        gone = self._plugged.pop(port)
        self._remove(gone.devices)
        for tty in gone.ttys:
            self._ioctls.end(tty)

    def _remove(self, devices: Sequence[SysfsDevice]) -> None:
        children_first = list(reversed(devices))
        for device in children_first:
            self._testbed.remove(device)
        for device in children_first:
            if device.subsystem == "usb" and "DRIVER" in device.kernel:
                self._uevents.tell(device, "unbind")
            self._uevents.tell(device, "remove")

    def _pull_empty_hubs(self, port: str) -> None:
        """Make room where nothing but hubs is plugged in."""
        for hub in sorted(self._hubs, key=len, reverse=True):
            if hub == port or hub.startswith(f"{port}."):
                self._remove(self._hubs.pop(hub))

    def _build_up_to(self, port: str) -> None:
        """Provide the bus and the hubs that a port is on; they stay."""
        bus = bus_of(port)
        if bus not in self._buses:
            self._buses[bus] = device_tree.describe_bus(bus)
            self._numbers[bus] = itertools.count(2)
            self._add(self._buses[bus])
        for hub in hubs_above(port):
            if hub not in self._hubs:
                self._hubs[hub] = device_tree.describe_hub(hub, self._next_number(bus))
                self._add(self._hubs[hub])

    def _next_number(self, bus: int) -> int:
        """Return the next device number; they go round, past those in use, as the kernel's do."""
        used = {
            int(each.devices[0].kernel["DEVNUM"])
            for each in self._plugged.values()
            if bus_of(each.port) == bus
        }
        used |= {int(hub[0].kernel["DEVNUM"]) for port, hub in self._hubs.items() if bus_of(port) == bus}
        for _ in range(_LAST_DEVICE):
            number = (next(self._numbers[bus]) - 2) % (_LAST_DEVICE - 1) + 2
            if number not in used:
                return number
        raise BenchFault(f"bus {bus} of the USB lab has no device number left")

    def close(self) -> None:
        """Stop telling and answering; the directory is the bench's to remove."""
        self._open.close()
