"""The serial ports of this host, with all that is known of each without opening it.

On Linux udev tells of those on USB, and pyserial of the rest and on other systems. Where a port is (its
location) and what it is called (its device) are hints that change whenever somebody moves a cable.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.inventory.udev import Udev, UdevTty

# What pyserial's location has behind that of the USB device: configuration (``x`` on Windows) and interface.
_INTERFACE = re.compile(r":[0-9x]+\.(\d+)$")
# What pyserial looks for on Linux. It hides the UARTs of the host that are only names, but not those of Linux
# 6.5 and later, of which thirty may lie below this directory.
_NAMES_ON_LINUX = re.compile(r"tty(?:S|USB|XRUSB|ACM|AMA|AP)|rfcomm")
_DEV = Path("/dev")
_TTYS = Path("/sys/class/tty")
_NOT_THERE = "/platform/serial8250/"
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPort:
    """A serial port.

    :ivar device: its path; what it is called changes with every plug.
    :ivar vid: vendor id of its USB device; ``None`` when it is not on USB.
    :ivar pid: product id of its USB device.
    :ivar serial_number: serial number of its USB device.
    :ivar manufacturer: who made the USB device, by its own account.
    :ivar product: what the USB device calls itself.
    :ivar location: where the USB device is: bus and chain of hub ports, for example ``1-1.2``.
    :ivar interface: number of its USB interface (``bInterfaceNumber``).
    :ivar links: other names of its path: by id, by path.
    :ivar properties: what udev's rules say of it.
    :ivar ancestors: of each device above it, nearest first, the properties and some attributes of sysfs.
    """

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    manufacturer: str | None = None
    product: str | None = None
    location: str | None = None
    interface: int | None = None
    links: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    ancestors: tuple[Mapping[str, str], ...] = field(default=(), hash=False, repr=False)


def list_serial_ports() -> list[SerialPort]:
    """List the host's serial ports, in the order of their names."""
    udev = connect_to_udev()
    by_udev = [] if udev is None else [port_of_udev(tty) for tty in udev.ttys()]
    known = {port.device for port in by_udev}
    usb_is_known = udev is not None and udev.tells_of_events
    return sorted(
        [*by_udev, *list_by_pyserial(known, usb_is_known=usb_is_known)],
        key=lambda port: natural(port.device),
    )


def port_at(device: str) -> SerialPort | None:
    """Describe the one port that udev knows by a path now, without listing all; ``None``: it knows none.

    :param device: the path.
    """
    udev = connect_to_udev()
    tty = None if udev is None else udev.tty(device)
    return None if tty is None else port_of_udev(tty)


def connect_to_udev() -> Udev | None:
    """Return the connection to libudev; ``None`` on a host that has none."""
    from harness.inventory.udev import Udev

    try:
        return Udev()
    except ImportError:
        return None


def natural(text: str | None) -> list[tuple[int, str]]:
    """Return the key by which ``ttyACM10`` comes after ``ttyACM2``, and ``1-10`` after ``1-2``."""
    parts = _DIGITS.split(text or "")
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts]


def port_of_udev(tty: UdevTty) -> SerialPort:
    """Describe a tty that udev knows.

    What the kernel read from the device counts before udev's copies of it, in which blanks and odd
    characters are replaced.

    :param tty: what udev knows.
    """
    own = tty.properties
    usb = _nearest(tty, "usb_device")
    interface = _nearest(tty, "usb_interface")
    return SerialPort(
        device=tty.device,
        vid=_hexadecimal(usb.get("idVendor") or own.get("ID_VENDOR_ID")),
        pid=_hexadecimal(usb.get("idProduct") or own.get("ID_MODEL_ID")),
        serial_number=usb.get("serial") or (None if usb else own.get("ID_SERIAL_SHORT")) or None,
        manufacturer=usb.get("manufacturer") or None,
        product=usb.get("product") or None,
        location=PurePosixPath(usb.get("DEVPATH", "")).name or None,
        interface=_hexadecimal(interface.get("bInterfaceNumber") or own.get("ID_USB_INTERFACE_NUM")),
        links=tuple(sorted(own.get("DEVLINKS", "").split())),
        properties=own,
        ancestors=tty.ancestors,
    )


def _nearest(tty: UdevTty, kind: str) -> Mapping[str, str]:
    return next((facts for facts in tty.ancestors if facts.get("DEVTYPE") == kind), {})


def _hexadecimal(text: str | None) -> int | None:
    return int(text, 16) if text is not None and _HEXADECIMAL.fullmatch(text) else None


def port_of_pyserial(listed: Any) -> SerialPort:
    """Describe a port that pyserial lists.

    :param listed: a :class:`serial.tools.list_ports_common.ListPortInfo`.
    """
    location = listed.location or ""
    # Of a device with one interface the location does not tell it; on Linux another attribute does.
    found = _INTERFACE.search(getattr(listed, "usb_interface_path", None) or location)
    return SerialPort(
        device=listed.device,
        vid=listed.vid,
        pid=listed.pid,
        serial_number=listed.serial_number or None,
        manufacturer=listed.manufacturer or None,
        product=listed.product or None,
        location=_INTERFACE.sub("", location) or None,
        interface=int(found[1]) if found else None,
    )


def list_by_pyserial(known: Collection[str] = (), *, usb_is_known: bool = False) -> list[SerialPort]:
    """List ports as pyserial does.

    :param known: paths of ports that are left out. On Linux pyserial reads a dozen files a port, and of those
        that udev told of more is known already.
    :param usb_is_known: leave out all that is on USB, too: what of it is not known was plugged in just now,
        and udev will tell of it. Nor may pyserial look at it: it asks for links, and in a virtual USB lab
        that ends the process when the port is pulled at that moment (umockdev, ``is_emulated_device``).
    """
    from serial.tools import list_ports

    if sys.platform != "linux":
        return [port_of_pyserial(port) for port in list_ports.comports() if port.device not in known]
    from serial.tools.list_ports_linux import SysFS

    ports = []
    for entry in _DEV.iterdir():
        path = str(entry)
        if path in known or not _NAMES_ON_LINUX.match(entry.name):
            continue
        if usb_is_known and _is_on_usb(entry.name):
            continue
        try:
            listed = SysFS(path)
        except (TypeError, ValueError, OSError):  # it vanishes while pyserial looks at it
            continue
        if listed.subsystem != "platform" and _NOT_THERE not in (listed.device_path or ""):
            ports.append(port_of_pyserial(listed))
    return ports


def _is_on_usb(tty: str) -> bool:
    try:
        return "/usb" in (_TTYS / tty).readlink().as_posix()
    except OSError:
        return False
