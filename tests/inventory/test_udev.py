"""udev: what is read of devices, what of their coming and going, and what is done when it fails."""

from __future__ import annotations

import errno
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import udev
from harness.inventory.udev import EventsLostError, TtyMonitor, Udev, UdevTty

if TYPE_CHECKING:
    from pathlib import Path

    from tests.virtual.usb.lab import Lab

LIST = """
import json
from concurrent.futures import ThreadPoolExecutor
from harness.inventory.udev import Udev

connection = Udev()
assert connection.tells_of_events
ttys = connection.ttys()
print(json.dumps([[tty.device, dict(tty.properties), [dict(one) for one in tty.ancestors]] for tty in ttys]))
with ThreadPoolExecutor(8) as pool:
    lists = pool.map(lambda _: Udev().ttys(), range(24))
    single = pool.map(lambda tty: Udev().tty(tty.device), ttys * 24)
    assert list(lists) == [ttys] * 24
    assert list(single) == ttys * 24
hubs = {id(tty.ancestors[2]) for tty in ttys if tty.ancestors[2]["DEVPATH"].endswith("/1-1")}
print(len(hubs))
"""


class Device(SimpleNamespace):
    """A device of pyudev's."""

    def __init__(
        self,
        path: str | None = "/dev/ttyACM0",
        *,
        action: str = "add",
        properties: dict[str, str] | None = None,
        attributes: dict[str, bytes] | None = None,
        parent: Device | None = None,
    ) -> None:
        """Describe it."""
        super().__init__(
            device_node=path,
            action=action,
            properties={"ID_BUS": "usb"} if properties is None else properties,
            attributes=attributes or {},
            parent=parent,
            sys_path=f"/sys{path}",
        )


class Monitor:
    """A monitor of pyudev's that has heard something."""

    def __init__(self, *heard: Device | OSError) -> None:
        """Remember what."""
        self._heard = [*heard]

    def poll(self, timeout: float) -> Device | None:
        """Return it, one after the other."""
        assert timeout == 0
        one = self._heard.pop(0) if self._heard else None
        if isinstance(one, OSError):
            raise one
        return one


def heard(*devices: Device | OSError) -> list[tuple[str, UdevTty]]:
    """What is made of what a monitor heard."""
    monitor, events = TtyMonitor(Monitor(*devices)), []
    while (event := monitor.receive()) is not None:
        events.append(event)
    return events


def test_every_device_above_a_tty_is_described(usb_lab: Lab) -> None:
    """In a lab: interface, device, hubs and controller, nearest first, with the device's own words.

    Threads that list at the same time are told the same.
    """
    for number in (1, 2):
        usb_lab.client.add(
            "nrf9160dk-virtual", usb={"port": f"1-1.{number}", "serial": f"00096000000{number}"}
        )

    said, hubs = usb_lab.python(LIST).splitlines()
    ttys = {device: (properties, ancestors) for device, properties, ancestors in json.loads(said)}

    assert sorted(ttys) == ["/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyACM2", "/dev/ttyACM3"]
    properties, ancestors = ttys["/dev/ttyACM3"]
    assert properties["ID_SERIAL_SHORT"] == "000960000002"
    assert "/dev/serial/by-id/usb-SEGGER_J-Link_000960000002-if02" in properties["DEVLINKS"].split()
    places = [one["DEVPATH"].rpartition("/")[2] for one in ancestors]
    assert places == ["1-1.2:1.2", "1-1.2", "1-1", "usb1", "0000:00:14.0"]
    assert ancestors[0]["bInterfaceNumber"] == "02"
    assert (ancestors[1]["idVendor"], ancestors[1]["serial"]) == ("1366", "000960000002")
    assert ancestors[2]["product"] == "USB2.0 Hub"
    assert hubs == "1", "a hub is described once, however many boards are below it"


def test_events_are_told_in_their_order() -> None:
    """What an event says of itself is not told of the port; one that is gone has its path alone."""
    own = {"ID_BUS": "usb", "ID_SERIAL_SHORT": "1", "ACTION": "add", "SEQNUM": "7"}
    above = Device(None, properties={"DEVTYPE": "usb_interface"}, attributes={"bInterfaceNumber": b"02\n"})

    assert heard(
        Device(properties=own, parent=above), Device(action="remove", properties={"SUBSYSTEM": "tty"})
    ) == [
        (
            "add",
            UdevTty(
                device="/dev/ttyACM0",
                properties={"ID_BUS": "usb", "ID_SERIAL_SHORT": "1"},
                ancestors=({"DEVTYPE": "usb_interface", "bInterfaceNumber": "02"},),
            ),
        ),
        ("remove", UdevTty(device="/dev/ttyACM0", properties={})),
    ]


def test_what_is_no_port_on_usb_is_passed_over() -> None:
    """Terminals, ports of the host and devices without a node are no news, whatever happens to them."""
    others = [Device("/dev/tty7", properties={}), Device(None), Device(None, action="remove")]

    assert [tty.device for _, tty in heard(*others, Device("/dev/ttyUSB0"))] == ["/dev/ttyUSB0"]


def test_text_of_a_device_that_is_no_text_is_read() -> None:
    """A device may write any bytes for its name."""
    odd = Device(None, properties={"DEVTYPE": "usb_device"}, attributes={"serial": b"\xff1 \n"})

    ((_, tty),) = heard(Device(parent=odd))

    assert tty.ancestors[0]["serial"] == "\ufffd1"


def test_events_that_did_not_fit_are_known_to_be_lost() -> None:
    """The kernel's word for it becomes ours, and every other error stays what it is."""
    with pytest.raises(EventsLostError):
        heard(OSError(errno.ENOBUFS, "no room"))
    with pytest.raises(OSError, match="broken"):
        heard(OSError(errno.EIO, "broken"))


def test_buffer_that_only_root_may_enlarge_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user listens with the buffer that there is."""
    asked: list[Any] = []

    def refuse(size: int) -> None:
        asked.append(size)
        raise OSError(errno.EPERM, "not permitted")

    monitor = SimpleNamespace(
        filter_by=asked.append,
        set_receive_buffer_size=refuse,
        start=lambda: asked.append("start"),
        fileno=lambda: 7,
    )
    connection = Udev()
    monkeypatch.setattr(connection._pyudev.Monitor, "from_netlink", lambda _context: monitor)

    with connection.monitor() as listening:
        assert listening.fileno() == 7
    assert asked == ["tty", 8 * 1024 * 1024, "start"]


def test_library_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look for it starts a process, which no second list may cost."""
    Udev().ttys()

    def look(_name: str) -> str:
        message = "looked again"
        raise AssertionError(message)

    monkeypatch.setattr("ctypes.util.find_library", look)

    assert Udev().ttys() == Udev().ttys()


def test_whether_somebody_tells_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The daemon of udev tells, and so does a lab; without both nobody does."""
    control = tmp_path / "control"
    monkeypatch.setattr(udev, "_CONTROL", control)
    monkeypatch.delenv(udev.MOCK_VARIABLE, raising=False)
    connection = Udev()

    assert not connection.tells_of_events
    control.touch()
    assert connection.tells_of_events
    control.unlink()
    monkeypatch.setenv(udev.MOCK_VARIABLE, str(tmp_path))
    assert connection.tells_of_events
