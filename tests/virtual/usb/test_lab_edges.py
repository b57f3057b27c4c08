"""What seldom happens to a lab: monitors that never read, full pools of files, empty hubs in the way."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING, Any

from harness.virtual.loop import Loop
from harness.virtual.usb import uevents
from harness.virtual.usb.device_tree import describe_hub
from harness.virtual.usb.testbed import HostTree

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    Lab = Any


def test_a_monitor_that_never_reads_loses_events_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It keeps its queue and what waits for it, no more; that it loses events is said once."""
    monkeypatch.setattr(uevents, "MOST_WAITING", 5)
    loop = Loop()
    told = uevents.Uevents(loop, tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as monitor:
        monitor.bind(str(tmp_path / "event7"))
        hub = describe_hub("1-1", 2)[0]
        for _ in range(60):
            told.tell(hub, "add")
        queued = 0
        while True:
            try:
                monitor.recv(65536)
            except BlockingIOError:
                break
            queued += 1
        assert 0 < queued < 60
    assert [record.message for record in caplog.records] == ["a monitor reads nothing: it loses events"]
    told.tell(hub, "remove")  # it is gone: it is forgotten, and nobody minds
    told.close()
    loop.close()


def test_a_name_that_is_no_monitor_is_left_alone(tmp_path: Path) -> None:
    """Files that others put into the testbed, and sockets that are gone again, are nobody to be told."""
    loop = Loop()
    told = uevents.Uevents(loop, tmp_path)
    (tmp_path / "notes").touch()
    (tmp_path / "event9").touch()
    told.tell(describe_hub("1-1", 2)[0], "add")
    told.close()
    loop.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["event9", "notes"]


def test_a_file_with_too_many_names_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system allows a file so many names; then the same contents begin a new one."""
    real = os.link
    full: set[str] = set()

    def link(source: str, *rest: Any, **options: Any) -> None:
        if str(source) in full:
            raise OSError(errno.EMLINK, "Too many links")
        real(source, *rest, **options)

    testbed = HostTree(tmp_path)
    testbed.add(describe_hub("1-1", 2)[0])
    full.update(str(path) for path in (tmp_path / ".pool").iterdir())
    monkeypatch.setattr(os, "link", link)
    other = describe_hub("1-2", 3)[0]
    testbed.add(other)
    place = tmp_path / "sys" / other.path.lstrip("/")
    assert (place / "idVendor").read_text() == "2109\n"
    assert (place / "product").read_text() == "USB2.0 Hub\n"
    assert (place / "subsystem").resolve() == tmp_path / "sys" / "bus" / "usb"


def test_an_empty_hub_makes_room_for_a_board(usb_lab: Lab) -> None:
    """A hub port whose hub has nothing left in it takes a board; one with a board below does not."""
    client = usb_lab.client
    client.add("nrf9160dk-virtual", id="a", usb={"port": "6-1.2.3", "serial": "A"})
    client.board("a").replug("6-1")
    listing = "import serial.tools.list_ports as l; print(*sorted(p.location for p in l.comports()))"
    assert usb_lab.python(listing).split() == ["6-1:1.0", "6-1:1.2"]
    hubs = "import os; print(*sorted(n for n in os.listdir('/sys/bus/usb/devices') if n.startswith('6-1.')))"
    assert usb_lab.python(hubs).split() == []


def test_the_end_of_a_test_plugs_a_board_in_again(usb_lab: Lab) -> None:
    """A cable that a test pulled is put back where it was."""
    client = usb_lab.client
    client.add("nrf9160dk-virtual", id="a", usb={"port": "1-2", "serial": None})
    client.board("a").unplug()
    assert client.board("a").state().ports == {}
    client.board("a").clear_faults()
    state = client.board("a").state()
    assert state.usb == {"serial": None, "port": "1-2"}
    assert sorted(map(str, state.ports.values())) == ["/dev/ttyACM0", "/dev/ttyACM1"]


def test_a_board_held_in_reset_hears_and_says_nothing(usb_lab: Lab) -> None:
    """RTS alone holds it: power that comes and goes meanwhile boots nothing; it boots when it is let go."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"auto_reset": True})
    said = usb_lab.python(
        """
import sys, serial
from harness.virtual.client import BenchClient
port = serial.Serial("/dev/ttyACM0", timeout=0.5)
with BenchClient(sys.argv[1]) as bench:
    board = bench.board("a")
    port.dtr = False
    board.set_power(on=False)
    board.set_power(on=True)
    port.reset_input_buffer()
    port.write(b"AT\\r\\n")
    print(port.read(20))
    port.timeout = 10
    port.rts = False
    print(port.read_until(b"Ready\\r\\n"))
    port.write(b"AT\\r\\n")
    print(port.read_until(b"OK\\r\\n"))
""",
        str(usb_lab.client.socket),
    )
    assert said.splitlines() == ["b''", r"b'Ready\r\n'", r"b'\nOK\r\n'"]
