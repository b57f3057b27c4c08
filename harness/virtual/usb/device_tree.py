"""A USB device as the kernel shows it in sysfs and as udev knows it: pure descriptions, nothing is written.

A device is its usb_device, its interfaces and the ttys on them, with the shapes that the drivers cdc_acm,
cp210x and ftdi_sio give them (testbed fact sheet, section 1). Hubs are devices too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.virtual.usb import udev_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import UsbPresentation

PORT = re.compile(r"([1-9]\d?)-([1-9]\d?(?:\.[1-9]\d?){0,5})")
MAJOR_USB = 189

_PCI_ROOT = "/devices/pci0000:00"
_DEVICES_A_BUS = 128
_REVISION = 0x0100
_SPEEDS = {"cdc_acm": "480", "cp210x": "12", "ftdi_sio": "12"}
# Class, subclass and protocol: a CDC function is a pair of interfaces, a bridge's are the vendor's own.
_CDC_CONTROL, _CDC_DATA, _VENDOR, _HUB = "020201", "0a0000", "ff0000", "090000"


@dataclass(frozen=True, slots=True, kw_only=True)
class SysfsDevice:
    """One directory of sysfs with a ``uevent`` file, and what udev's database says of it.

    :ivar path: below ``/sys``, ``/devices/...``.
    :ivar subsystem: ``usb``, ``tty``, ``usb-serial`` or ``pci``.
    :ivar kernel: what the kernel's ``uevent`` file says.
    :ivar attributes: contents of its other files.
    :ivar links: further symbolic links, name to path below ``/sys``.
    :ivar number: major and minor number, if it has a device node.
    :ivar properties: what udev's rules add.
    :ivar device_links: links to its node, below ``/dev``.
    """

    path: str
    subsystem: str
    kernel: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    number: tuple[int, int] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    device_links: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in its subsystem."""
        return self.path.rpartition("/")[2]


def bus_of(port: str) -> int:
    """Return the number of the bus that a hub port is on."""
    return int(port.partition("-")[0])


def hubs_above(port: str) -> list[str]:
    """Return the hub ports between the root hub and a port, outermost first: ``1-1`` for ``1-1.2``."""
    parts = port.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def pci_address(bus: int) -> str:
    """Return where the host controller of a bus is: one controller a bus."""
    return f"0000:00:{0x13 + bus:02x}.0"


def bus_path(bus: int) -> str:
    """Return where the root hub of a bus is, below ``/sys``."""
    return f"{_PCI_ROOT}/{pci_address(bus)}/usb{bus}"


def device_path(port: str) -> str:
    """Return where a device is, below ``/sys``."""
    return "/".join([bus_path(bus_of(port)), *hubs_above(port), port])


def describe_bus(bus: int) -> list[SysfsDevice]:
    """Describe a host controller and its root hub."""
    address = pci_address(bus)
    controller = SysfsDevice(
        path=f"{_PCI_ROOT}/{address}",
        subsystem="pci",
        kernel={"DRIVER": "xhci_hcd", "PCI_CLASS": "C0330", "PCI_SLOT_NAME": address},
        attributes={"vendor": "0x8086", "device": "0xa36d", "class": "0x0c0330"},
        properties={
            "ID_PATH": f"pci-{address}",
            "ID_PATH_TAG": f"pci-{address.replace(':', '_').replace('.', '_')}",
        },
    )
    root = _usb_device(
        bus_path(bus),
        bus=bus,
        number=1,
        strings={"manufacturer": "Linux xhci-hcd", "product": "xHCI Host Controller", "serial": address},
        ids=(0x1D6B, 0x0002),
        speed="480",
        interfaces=[_HUB],
        path_properties={"ID_PATH": f"pci-{address}"},
    )
    return [controller, root]


def describe_hub(port: str, number: int) -> list[SysfsDevice]:
    """Describe a hub.

    :param port: where it is plugged in.
    :param number: the device number on its bus.
    """
    path = device_path(port)
    hub = _usb_device(
        path,
        bus=bus_of(port),
        number=number,
        strings={"manufacturer": "VIA Labs, Inc.", "product": "USB2.0 Hub"},
        ids=(0x2109, 0x2817),
        speed="480",
        interfaces=[_HUB],
        path_properties=udev_rules.id_path(pci_address(bus_of(port)), port),
    )
    interface = SysfsDevice(
        path=f"{path}/{port}:1.0",
        subsystem="usb",
        kernel={"DEVTYPE": "usb_interface", "DRIVER": "hub", "INTERFACE": "9/0/0"},
        attributes={"bInterfaceNumber": "00", **_classes(_HUB)},
    )
    return [hub, interface]


def describe_device(
    usb: UsbPresentation, *, serial: str | None, port: str, number: int, ttys: Mapping[str, str]
) -> list[SysfsDevice]:
    """Describe a device with its ttys, parents first.

    :param usb: how it presents itself.
    :param serial: its serial number string; ``None``: it has none.
    :param port: the hub port it is plugged into.
    :param number: the device number on its bus.
    :param ttys: names of its ttys by role.
    """
    path = device_path(port)
    classes = _interface_classes(usb)
    strings = {"manufacturer": usb.manufacturer, "product": usb.product}
    device = _usb_device(
        path,
        bus=bus_of(port),
        number=number,
        strings=strings if serial is None else {**strings, "serial": serial},
        ids=(usb.vendor_id, usb.product_id),
        speed=_SPEEDS[usb.port_driver],
        interfaces=[classes[each] for each in sorted(classes)],
        path_properties=udev_rules.id_path(pci_address(bus_of(port)), port),
    )
    described = [device]
    roles = {interface: role for role, interface in usb.interfaces.items()}
    for interface in sorted(classes):
        described.append(_interface(device, port, interface, classes[interface], usb.port_driver))
        if interface in roles:
            described += _tty(described[-1], device, ttys[roles[interface]], usb.port_driver)
    return described


def _interface_classes(usb: UsbPresentation) -> dict[int, str]:
    if usb.port_driver != "cdc_acm":
        return dict.fromkeys(usb.interfaces.values(), _VENDOR)
    data = {number + 1: _CDC_DATA for number in usb.interfaces.values()}
    return {**data, **dict.fromkeys(usb.interfaces.values(), _CDC_CONTROL)}


def _classes(code: str) -> dict[str, str]:
    return {
        "bInterfaceClass": code[:2],
        "bInterfaceSubClass": code[2:4],
        "bInterfaceProtocol": code[4:],
        "bAlternateSetting": " 0",
    }


def _usb_device(
    path: str,
    *,
    bus: int,
    number: int,
    strings: Mapping[str, str],
    ids: tuple[int, int],
    speed: str,
    interfaces: list[str],
    path_properties: Mapping[str, str],
) -> SysfsDevice:
    vendor_id, product_id = ids
    found = udev_rules.usb_id(
        vendor_id=vendor_id,
        product_id=product_id,
        revision=_REVISION,
        manufacturer=strings.get("manufacturer"),
        product=strings.get("product"),
        serial=strings.get("serial"),
        interfaces=f":{':'.join(dict.fromkeys(interfaces))}:",
    )
    node = f"bus/usb/{bus:03d}/{number:03d}"
    minor = (bus - 1) * _DEVICES_A_BUS + number - 1
    port = path.rpartition("-")[2] if "-" in path.rpartition("/")[2] else "0"
    return SysfsDevice(
        path=path,
        subsystem="usb",
        kernel={
            "MAJOR": str(MAJOR_USB),
            "MINOR": str(minor),
            "DEVNAME": node,
            "DEVTYPE": "usb_device",
            "DRIVER": "usb",
            "PRODUCT": f"{vendor_id:x}/{product_id:x}/{_REVISION:x}",
            "TYPE": "9/0/1" if interfaces == [_HUB] else "0/0/0",
            "BUSNUM": f"{bus:03d}",
            "DEVNUM": f"{number:03d}",
        },
        attributes={
            "idVendor": f"{vendor_id:04x}",
            "idProduct": f"{product_id:04x}",
            "bcdDevice": f"{_REVISION:04x}",
            **strings,
            "bNumInterfaces": f"{len(interfaces):2d}",
            "bConfigurationValue": "1",
            "bNumConfigurations": "1",
            "bDeviceClass": "09" if interfaces == [_HUB] else "00",
            "busnum": str(bus),
            "devnum": str(number),
            "devpath": port,
            "speed": speed,
            "version": " 2.00",
            "dev": f"{MAJOR_USB}:{minor}",
        },
        number=(MAJOR_USB, minor),
        properties={**found, **path_properties},
    )


def _interface(device: SysfsDevice, port: str, number: int, code: str, driver: str) -> SysfsDevice:
    numbers = "/".join(str(int(code[at : at + 2], 16)) for at in (0, 2, 4))
    path = udev_rules.id_path(pci_address(bus_of(port)), port, f"1.{number}")
    return SysfsDevice(
        path=f"{device.path}/{port}:1.{number}",
        subsystem="usb",
        kernel={
            "DEVTYPE": "usb_interface",
            "DRIVER": driver,
            "PRODUCT": device.kernel["PRODUCT"],
            "TYPE": device.kernel["TYPE"],
            "INTERFACE": numbers,
        },
        attributes={"bInterfaceNumber": f"{number:02x}", "bNumEndpoints": "02", **_classes(code)},
        properties=path,
    )


def _tty(interface: SysfsDevice, device: SysfsDevice, name: str, driver: str) -> list[SysfsDevice]:
    """Describe the tty of an interface and, on a bridge, the usb-serial port between the two."""
    number = interface.attributes["bInterfaceNumber"]
    identity = {key: value for key, value in device.properties.items() if not key.startswith("ID_PATH")}
    found = {
        **identity,
        **interface.properties,
        "ID_TYPE": "generic",
        "ID_USB_TYPE": "generic",
        "ID_USB_INTERFACE_NUM": number,
        "ID_USB_DRIVER": driver,
    }
    bridge = driver != "cdc_acm"
    major, minor = tty_number(name)
    above = [
        SysfsDevice(
            path=f"{interface.path}/{name}",
            subsystem="usb-serial",
            kernel={"DRIVER": driver},
            attributes={"port_number": "0"},
        )
    ]
    holder = above[0].path if bridge else interface.path
    by_id, by_path = udev_rules.serial_links(found, 0 if bridge else None)
    tty = SysfsDevice(
        path=f"{holder}/tty/{name}",
        subsystem="tty",
        kernel={"MAJOR": str(major), "MINOR": str(minor), "DEVNAME": name},
        attributes={"dev": f"{major}:{minor}"},
        links={"device": holder},
        number=(major, minor),
        properties=found,
        device_links=(by_path, by_id),
    )
    return [*above, tty] if bridge else [tty]


TTY_PREFIXES = {"cdc_acm": "ttyACM", "cp210x": "ttyUSB", "ftdi_sio": "ttyUSB"}
_MAJORS = {"ttyACM": 166, "ttyUSB": 188}


def tty_number(name: str) -> tuple[int, int]:
    """Return major and minor number of a tty."""
    prefix = name.rstrip("0123456789")
    return _MAJORS[prefix], int(name[len(prefix) :])
