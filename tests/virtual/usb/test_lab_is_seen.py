"""What unpatched libudev, pyudev and pyserial see of the lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError

if TYPE_CHECKING:
    Lab = Any

LIST = """
import json, pyudev, serial.tools.list_ports
context = pyudev.Context()
ttys = {
    tty.device_node: [
        tty.properties.get("ID_SERIAL_SHORT"),
        tty.properties["ID_USB_INTERFACE_NUM"],
        tty.find_parent("usb", "usb_device").sys_name,
        tty.properties["DEVLINKS"].split(),
    ]
    for tty in context.list_devices(subsystem="tty", ID_BUS="usb")
}
ports = {p.device: [p.hwid, p.manufacturer, p.product] for p in serial.tools.list_ports.comports()}
print(json.dumps([ttys, ports]))
"""

TALK = """
import serial, sys
with serial.Serial(sys.argv[1], 115200, timeout=10) as port:
    port.write(b"AT+CGSN\\r\\n")
    print(port.read_until(b"OK\\r\\n").decode().split()[0])
"""


def test_pyudev_and_pyserial_see_a_kit_and_a_bridge(usb_lab: Lab) -> None:
    """A composite kit and a usb-serial bridge look to both as the real ones do, by-id and by-path too."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1.2", "serial": "000960012345"})
    usb_lab.client.add_stranger(
        id="s",
        vendor_id=0x10C4,
        product_id=0xEA60,
        manufacturer="Silicon Labs",
        product="CP2102 USB to UART Bridge Controller",
        port="2-3",
        port_driver="cp210x",
    )
    ttys, ports = json.loads(usb_lab.python(LIST))
    assert ttys == {
        "/dev/ttyACM0": [
            "000960012345",
            "00",
            "1-1.2",
            [
                "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0",
                "/dev/serial/by-id/usb-SEGGER_J-Link_000960012345-if00",
            ],
        ],
        "/dev/ttyACM1": [
            "000960012345",
            "02",
            "1-1.2",
            [
                "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.2",
                "/dev/serial/by-id/usb-SEGGER_J-Link_000960012345-if02",
            ],
        ],
        "/dev/ttyUSB0": [
            None,
            "00",
            "2-3",
            [
                "/dev/serial/by-path/pci-0000:00:15.0-usb-0:3:1.0-port0",
                "/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller-if00-port0",
            ],
        ],
    }
    assert ports == {
        "/dev/ttyACM0": ["USB VID:PID=1366:1055 SER=000960012345 LOCATION=1-1.2:1.0", "SEGGER", "J-Link"],
        "/dev/ttyACM1": ["USB VID:PID=1366:1055 SER=000960012345 LOCATION=1-1.2:1.2", "SEGGER", "J-Link"],
        "/dev/ttyUSB0": [
            "USB VID:PID=10C4:EA60 LOCATION=2-3",
            "Silicon Labs",
            "CP2102 USB to UART Bridge Controller",
        ],
    }


def test_a_board_answers_under_every_name_of_its_tty(usb_lab: Lab) -> None:
    """The tty, its by-id link and its by-path link all lead to the same board."""
    added = usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1.2", "serial": "000960012345"})
    for name in (
        str(added.ports["console"]),
        "/dev/serial/by-id/usb-SEGGER_J-Link_000960012345-if00",
        "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0",
    ):
        assert usb_lab.python(TALK, name).strip() == added.properties["imei"]


def test_what_does_not_fit_is_refused_and_leaves_nothing(usb_lab: Lab) -> None:
    """A port or a tty name that is taken or cannot be is refused by name, and nothing moves."""
    client = usb_lab.client
    client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1.2", "names": {"console": "ttyACM4"}})
    for usb, said in [
        ({"port": "1-1.2"}, "another device is plugged in there"),
        ({"port": "1-1.2.1"}, "1-1.2 is no hub but another device"),
        ({"port": "1-1"}, "a hub is plugged in there"),
        ({"port": "usb1"}, "not a hub port"),
        ({"names": {"console": "ttyACM4"}}, "another tty has this name now"),
        ({"names": {"console": "ttyUSB0"}}, "not a name that driver cdc_acm gives"),
        ({"names": {"lid": "ttyACM0"}}, "the board has no such endpoint"),
        ({"colour": "red"}, "unknown setting of a USB device"),
        ({"plugged": "yes"}, "of another type"),
    ]:
        with pytest.raises(UsageError, match=said):
            client.add("nrf9160dk-virtual", id="b", usb=usb)
    ttys, _ = json.loads(usb_lab.python(LIST))
    assert sorted(ttys) == ["/dev/ttyACM0", "/dev/ttyACM4"]
    added = client.add("nrf9160dk-virtual", id="b")
    assert [str(path) for path in added.ports.values()] == ["/dev/ttyACM1", "/dev/ttyACM2"]
