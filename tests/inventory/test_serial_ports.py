"""Serial ports: what udev and what pyserial say of one, as one description."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serial.tools import list_ports, list_ports_linux
from serial.tools.list_ports_common import ListPortInfo

from harness.inventory import serial_ports, udev
from harness.inventory.serial_ports import (
    SerialPort,
    list_by_pyserial,
    list_serial_ports,
    natural,
    port_of_pyserial,
    port_of_udev,
)
from harness.inventory.udev import UdevTty

if TYPE_CHECKING:
    from collections.abc import Mapping

INTERFACE = {"DEVTYPE": "usb_interface", "DEVPATH": "/devices/x/usb1/1-1/1-1.2/1-1.2:1.2"}
DEVICE = {
    "DEVTYPE": "usb_device",
    "DEVPATH": "/devices/x/usb1/1-1/1-1.2",
    "idVendor": "1366",
    "idProduct": "1061",
    "serial": "00105 12",
    "manufacturer": "SEGGER",
    "product": "J-Link",
}
HUB = {"DEVTYPE": "usb_device", "DEVPATH": "/devices/x/usb1/1-1", "idVendor": "2109", "serial": "HUB"}
OWN = {
    "ID_BUS": "usb",
    "ID_VENDOR_ID": "1366",
    "ID_MODEL_ID": "1061",
    "ID_SERIAL_SHORT": "00105_12",
    "ID_USB_INTERFACE_NUM": "02",
    "DEVLINKS": "/dev/serial/by-path/p /dev/serial/by-id/i",
}


def test_port_on_a_hub_is_its_devices_and_not_the_hubs() -> None:
    """Ids, names and location are those of the nearest USB device, as the device itself writes them."""
    interface = {**INTERFACE, "bInterfaceNumber": "02"}

    port = port_of_udev(UdevTty(device="/dev/ttyACM3", properties=OWN, ancestors=(interface, DEVICE, HUB)))

    assert port == SerialPort(
        device="/dev/ttyACM3",
        vid=0x1366,
        pid=0x1061,
        serial_number="00105 12",
        manufacturer="SEGGER",
        product="J-Link",
        location="1-1.2",
        interface=2,
        links=("/dev/serial/by-id/i", "/dev/serial/by-path/p"),
        properties=OWN,
        ancestors=(interface, DEVICE, HUB),
    )


def test_interface_numbers_are_hexadecimal() -> None:
    """Interface 10 is written ``0a``."""
    interface = {**INTERFACE, "bInterfaceNumber": "0a"}

    assert port_of_udev(UdevTty(device="x", properties={}, ancestors=(interface, DEVICE))).interface == 10


def test_udevs_own_copies_serve_where_the_device_is_gone() -> None:
    """Without what sysfs had, what udev's rules copied from it is told, and no place is made up."""
    port = port_of_udev(UdevTty(device="/dev/ttyACM3", properties=OWN))

    assert (port.vid, port.pid, port.serial_number, port.interface) == (0x1366, 0x1061, "00105_12", 2)
    assert port.location is None


@pytest.mark.parametrize("text", ["", "-5", "1_0", "0x10", "xyz"])
def test_id_that_is_no_number_is_none(text: str) -> None:
    """Only what the kernel writes counts as a number."""
    port = port_of_udev(UdevTty(device="x", properties={}, ancestors=({**DEVICE, "idVendor": text},)))

    assert port.vid is None


def test_device_without_a_serial_number_has_none() -> None:
    """What udev makes up for a device without a serial number is none."""
    nameless = {key: value for key, value in DEVICE.items() if key != "serial"}

    port = port_of_udev(UdevTty(device="x", properties=OWN, ancestors=(INTERFACE, nameless, HUB)))

    assert port.serial_number is None


@pytest.mark.parametrize(
    ("location", "path", "expected"),
    [
        ("1-1.2:1.2", "/sys/x/1-1.2/1-1.2:1.2", ("1-1.2", 2)),
        ("1-1.2", "/sys/x/1-1.2/1-1.2:1.0", ("1-1.2", 0)),
        ("1-1.2:x.4", None, ("1-1.2", 4)),
        ("20-1.3", None, ("20-1.3", None)),
        (None, None, (None, None)),
    ],
    ids=["several interfaces", "one interface", "windows", "macos", "no usb"],
)
def test_location_of_pyserial_is_taken_apart(
    location: str | None, path: str | None, expected: tuple[str | None, int | None]
) -> None:
    """Device and interface are told apart in every form that pyserial writes them."""
    listed = ListPortInfo("/dev/x")
    listed.location = location
    vars(listed)["usb_interface_path"] = path

    port = port_of_pyserial(listed)

    assert (port.location, port.interface) == expected


def test_empty_texts_of_pyserial_are_none() -> None:
    """A device that names its serial number with an empty text has none."""
    listed = ListPortInfo("/dev/x")
    listed.serial_number = listed.manufacturer = listed.product = listed.location = ""

    port = port_of_pyserial(listed)

    assert (port.serial_number, port.manufacturer, port.product, port.location) == (None, None, None, None)


def linux_host(monkeypatch: pytest.MonkeyPatch, *listed: SimpleNamespace | Exception) -> None:
    """Let pyserial find ports by the names of ttyUSB0, ttyUSB1, ..."""
    found = {f"/dev/ttyUSB{number}": one for number, one in enumerate(listed)}

    def look(path: str) -> SimpleNamespace:
        one = found[path]
        if isinstance(one, Exception):
            raise one
        return one

    names = [*found, "/dev/tty7", "/dev/ptmx", "/dev/ttyprintk", "/dev/null"]
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(serial_ports, "_DEV", SimpleNamespace(iterdir=lambda: map(Path, names)))
    monkeypatch.setattr(list_ports_linux, "SysFS", look)


def on_linux(device: str, subsystem: str | None, path: str | None = None) -> SimpleNamespace:
    """What pyserial reads of a port."""
    listed = ListPortInfo(device)
    return SimpleNamespace(
        **{**vars(listed), "subsystem": subsystem, "device_path": path, "usb_interface_path": None}
    )


def test_ports_that_are_only_names_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """UARTs that the kernel has names for and the host does not have are not listed, old kernel or new."""
    linux_host(
        monkeypatch,
        on_linux("/dev/ttyS0", "pnp", "/sys/devices/pnp0/00:00"),
        on_linux("/dev/ttyS1", "platform", "/sys/devices/platform/serial8250"),
        on_linux("/dev/ttyS2", "serial-base", "/sys/devices/platform/serial8250/serial8250:0/serial8250:0.2"),
        on_linux("/dev/ttyS3", "serial-base", "/sys/devices/pnp0/00:00/00:00:0/00:00:0.0"),
        on_linux("/dev/ttyUSB9", None),
    )

    assert [port.device for port in list_by_pyserial()] == ["/dev/ttyS0", "/dev/ttyS3", "/dev/ttyUSB9"]


@pytest.mark.parametrize("error", [TypeError("int() of None"), ValueError("x"), OSError("gone")])
def test_port_that_vanishes_while_it_is_listed_is_left_out(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A cable that is pulled at the wrong moment hides no other port."""
    linux_host(monkeypatch, error, on_linux("/dev/ttyUSB1", "usb-serial"))

    assert [port.device for port in list_by_pyserial()] == ["/dev/ttyUSB1"]


def test_what_udev_told_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a port that is known nothing is read."""
    linux_host(monkeypatch, AssertionError("was read"), on_linux("/dev/ttyUSB1", "usb-serial"))

    assert [port.device for port in list_by_pyserial({"/dev/ttyUSB0"})] == ["/dev/ttyUSB1"]


@pytest.mark.parametrize(("told_of_events", "listed"), [(True, [1, 2]), (False, [0, 1, 2])])
def test_what_is_plugged_in_meanwhile_is_left_to_udev(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, told_of_events: bool, listed: list[int]
) -> None:
    """Where udev tells of events pyserial looks at nothing on USB, but at nodes that udev cannot know."""
    (tmp_path / "ttyUSB0").symlink_to("../../devices/pci0/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0")
    (tmp_path / "ttyUSB1").symlink_to("../../devices/pnp0/00:00/tty/ttyUSB1")
    linux_host(monkeypatch, *(on_linux(f"/dev/ttyUSB{number}", None) for number in range(3)))
    monkeypatch.setattr(serial_ports, "_TTYS", tmp_path)
    knows_none = SimpleNamespace(ttys=list, tells_of_events=told_of_events)
    monkeypatch.setattr(serial_ports, "connect_to_udev", lambda: knows_none)

    assert [port.device for port in list_serial_ports()] == [f"/dev/ttyUSB{number}" for number in listed]


def test_other_systems_are_listed_by_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no sysfs pyserial's own list counts."""
    monkeypatch.setattr(sys, "platform", "darwin")
    known, new = (ListPortInfo(name) for name in ("/dev/cu.a", "/dev/cu.b"))
    monkeypatch.setattr(list_ports, "comports", lambda: [known, new])

    assert [port.device for port in list_by_pyserial({"/dev/cu.a"})] == ["/dev/cu.b"]


def test_host_without_libudev_is_listed_by_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is no error: pyserial's list has everything that is needed to find boards."""

    def missing(_self: object) -> None:
        message = "No library named udev"
        raise ImportError(message)

    monkeypatch.setattr(udev.Udev, "__init__", missing)
    linux_host(monkeypatch, on_linux("/dev/ttyUSB0", "usb-serial"))

    assert [port.device for port in list_serial_ports()] == ["/dev/ttyUSB0"]


def test_this_host_can_be_listed() -> None:
    """Whatever ports this machine has, each is there once and in order."""
    devices = [port.device for port in list_serial_ports()]

    assert devices == sorted(set(devices), key=natural)


def test_ttys_are_in_the_order_of_their_numbers() -> None:
    """The tenth comes after the second."""
    names = ["/dev/ttyUSB0", "/dev/ttyACM10", "/dev/ttyACM2"]

    assert sorted(names, key=natural) == ["/dev/ttyACM2", "/dev/ttyACM10", "/dev/ttyUSB0"]


@given(numbers=st.lists(st.integers(0, 999)), others=st.lists(st.text() | st.none()))
def test_any_texts_can_be_ordered(numbers: list[int], others: list[str | None]) -> None:
    """Devices write what they like; numbered names are in order between whatever else there is."""
    ordered = sorted([*(f"1-{number}" for number in numbers), *others], key=natural)

    numbered = [int(text[2:]) for text in ordered if text and text.startswith("1-") and text[2:].isdigit()]
    assert [number for number in numbered if number in numbers] == sorted(numbers)


FACTS = st.dictionaries(st.sampled_from([*DEVICE, *OWN, "bInterfaceNumber"]), st.text(max_size=8))


@given(own=FACTS, above=st.lists(FACTS, max_size=4))
def test_whatever_a_device_says_its_port_is_described(
    own: Mapping[str, str], above: list[Mapping[str, str]]
) -> None:
    """Odd texts of a device are no error, and an empty one is none."""
    port = port_of_udev(UdevTty(device="/dev/x", properties=own, ancestors=tuple(above)))

    assert "" not in {port.serial_number, port.manufacturer, port.product, port.location}
    assert port.vid is None or port.vid >= 0
