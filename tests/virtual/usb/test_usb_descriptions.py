"""Names, properties and events by themselves: what udev would make of odd strings, and what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.virtual.contract import UsbPresentation
from harness.virtual.usb import device_tree, udev_rules
from harness.virtual.usb.device_tree import PORT, describe_device, device_path, hubs_above
from harness.virtual.usb.options import UsbOptions, stranger_presentation
from harness.virtual.usb.uevents import encode_event, string_hash

if TYPE_CHECKING:
    Lab = Any

KIT = UsbPresentation(
    vendor_id=0x1366,
    product_id=0x1055,
    manufacturer="SEGGER",
    product="J-Link",
    serial="{number}",
    interfaces={"console": 0, "trace": 2},
)


def test_odd_strings_become_names() -> None:
    """White space runs, slashes and letters beyond ASCII: as usb_id of systemd names them."""
    found = udev_rules.usb_id(
        vendor_id=0x10C4,
        product_id=0xEA60,
        revision=0x0100,
        manufacturer="  Silicon  Labs ",
        product="CP2102/9 (x)",
        serial="00 1",
        interfaces=":ff0000:",
    )
    assert found["ID_VENDOR"] == "Silicon_Labs"
    assert found["ID_VENDOR_ENC"] == r"\x20\x20Silicon\x20\x20Labs\x20"
    assert found["ID_MODEL"] == "CP2102_9__x_"
    assert found["ID_SERIAL"] == found["ID_USB_SERIAL"] == "Silicon_Labs_CP2102_9__x__00_1"
    assert found["ID_SERIAL_SHORT"] == "00_1"


def test_a_device_without_strings_is_named_by_its_numbers() -> None:
    """No manufacturer, product or serial string: hexadecimal ids, and no short serial number."""
    found = udev_rules.usb_id(
        vendor_id=0x10C4,
        product_id=0x1,
        revision=0x0100,
        manufacturer=None,
        product=None,
        serial=None,
        interfaces=":ff0000:",
    )
    assert found["ID_SERIAL"] == "10c4_0001"
    assert "ID_SERIAL_SHORT" not in found


def test_a_chain_of_hubs_is_a_chain_of_directories() -> None:
    """Every hub between root and device is a directory on the way."""
    assert hubs_above("3-1.4.2") == ["3-1", "3-1.4"]
    assert device_path("3-1.4.2") == "/devices/pci0000:00/0000:00:16.0/usb3/3-1/3-1.4/3-1.4.2"


@given(st.from_regex(PORT, fullmatch=True))
def test_paths_are_unique_and_below_their_hubs(port: str) -> None:
    """Whatever the port: its directory is below that of each hub on the way, and ends with the port."""
    path = device_path(port)
    assert path.endswith(f"/{port}")
    for hub in hubs_above(port):
        assert path.startswith(f"{device_path(hub)}/")


def test_a_kits_functions_are_pairs_of_interfaces() -> None:
    """The console is on interface 0, the trace on 2; the data interfaces between them have no tty."""
    devices = describe_device(
        KIT, serial="1", port="1-1", number=2, ttys={"console": "ttyACM5", "trace": "ttyACM6"}
    )
    assert [device.name for device in devices] == [
        "1-1",
        "1-1:1.0",
        "ttyACM5",
        "1-1:1.1",
        "1-1:1.2",
        "ttyACM6",
        "1-1:1.3",
    ]
    assert devices[0].attributes["bNumInterfaces"] == " 4"
    assert devices[2].number == (166, 5)


def test_an_event_carries_what_udev_adds() -> None:
    """An event's properties end in NUL each; the header says where they are and how many bytes."""
    (tty,) = [
        device
        for device in describe_device(
            KIT, serial=None, port="1-1", number=2, ttys={"console": "ttyACM0", "trace": "ttyACM1"}
        )
        if device.name == "ttyACM0"
    ]
    event = encode_event(tty, "add", 7)
    assert event[:8] == b"libudev\0"
    assert event[8:12] == bytes.fromhex("feedcafe")
    assert event[12:16] == event[16:20] == (40).to_bytes(4, "little")
    said = event[40:]
    assert int.from_bytes(event[20:24], "little") == len(said)
    pairs = dict(item.split("=", 1) for item in said.decode().rstrip("\0").split("\0"))
    assert pairs["ACTION"] == "add"
    assert pairs["SEQNUM"] == "7"
    assert pairs["DEVNAME"] == "/dev/ttyACM0"
    assert pairs["ID_USB_INTERFACE_NUM"] == "00"
    assert "/dev/serial/by-id/usb-SEGGER_J-Link-if00" in pairs["DEVLINKS"].split()


@pytest.mark.parametrize("text", ["", "a", "ab", "usb", "tty", "usb-serial", "usb_interface", "x" * 100])
def test_hashes_are_32_bits(text: str) -> None:
    """Every length of text gives one; that they are the right ones, libudev's own filters prove elsewhere."""
    assert 0 <= string_hash(text) < 2**32


def test_a_hub_and_a_bus_look_like_ones() -> None:
    """A hub has class 9; a bus has a controller above it."""
    hub, interface = device_tree.describe_hub("1-1", 3)
    assert (hub.attributes["bDeviceClass"], interface.attributes["bInterfaceClass"]) == ("09", "09")
    controller, root = device_tree.describe_bus(1)
    assert root.path == f"{controller.path}/usb1"
    assert root.properties["ID_PATH"] == "pci-0000:00:14.0"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colour": 1}, r"usb\.colour: unknown setting"),
        ({"port": 1}, r"usb\.port: of another type \(got 1\); expected str"),
        ({"names": {"console": 3}}, r"usb\.names: names of ttys by role"),
    ],
)
def test_wrong_settings_are_refused(values: dict[str, Any], said: str) -> None:
    """An unknown key or a value of another type: the message names it."""
    with pytest.raises(UsageError, match=said):
        UsbOptions.read(values)


def test_a_serial_number_is_made_unless_it_is_given() -> None:
    """Left out it follows the kind's template; ``None`` is a device without one."""
    assert UsbOptions.read({}).serial_of(KIT, 7) == "7"
    assert UsbOptions.read({"serial": "x"}).serial_of(KIT, 7) == "x"
    assert UsbOptions.read({"serial": None}).serial_of(KIT, 7) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"vendor_id": 0x10000}, "vendor_id: not a USB id"),
        ({"product_id": -1}, "product_id: not a USB id"),
        ({"port_driver": "usb_lamp"}, "port_driver: no such driver"),
        ({"interfaces": 0}, "interfaces: a device has some ports"),
        ({"interfaces": 9}, "interfaces: a device has some ports"),
    ],
)
def test_impossible_strangers_are_refused(values: dict[str, Any], said: str) -> None:
    """Ids beyond 16 bits, unknown drivers, no port or too many."""
    usual: dict[str, Any] = {
        "vendor_id": 1,
        "product_id": 2,
        "manufacturer": "m",
        "product": "p",
        "interfaces": 1,
        "port_driver": "cdc_acm",
    }
    with pytest.raises(UsageError, match=said):
        stranger_presentation(**{**usual, **values})


def test_a_stranger_counts_what_is_done_to_it(usb_lab: Lab) -> None:
    """Opens, bytes, changed settings: nothing until somebody does it, and then exactly that."""
    stranger = usb_lab.client.add_stranger(
        vendor_id=0x2341, product_id=0x43, manufacturer="Arduino", product="Uno", serial="85", interfaces=2
    )
    nothing = {"opens": 0, "written": "", "settings": 0}
    usb_lab.python("import serial.tools.list_ports as l; print(len(l.comports()))")
    assert stranger.call("heard") == nothing
    usb_lab.python("import os; os.close(os.open('/dev/ttyACM1', os.O_RDWR | os.O_NOCTTY))")
    assert stranger.call("heard") == {**nothing, "opens": 1}
    usb_lab.python("""
import serial
with serial.Serial("/dev/ttyACM0", 9600) as port:
    port.write(b"AT")
""")
    assert stranger.call("heard") == {"opens": 2, "written": b"AT".hex(), "settings": 1}
    with pytest.raises(Exception, match="a stranger only answers 'heard'"):
        stranger.call("shout")
