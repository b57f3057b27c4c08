"""Plugs and unplugs as libudev's monitors hear of them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Lab = Any

# Says that it listens, and prints what it heard when it is told to; the descriptor can be forced.
MONITOR = """
import json, os, sys, pyudev
filters = json.loads(sys.argv[1])
if len(sys.argv) > 2:
    while os.dup(0) < int(sys.argv[2]) - 1: pass
context = pyudev.Context()
monitor = pyudev.Monitor.from_netlink(context)
for each in filters: monitor.filter_by(*each)
monitor.start()
print(monitor.fileno(), flush=True)
sys.stdin.readline()
heard = []
while (device := monitor.poll(0.3)) is not None:
    heard.append([device.action, device.sys_name])
print(json.dumps(heard))
"""


@contextmanager
def monitor(lab: Lab, *filters: list[str], fd: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Listen in a process of its own."""
    words = [sys.executable, "-c", MONITOR, json.dumps(filters), *([str(fd)] if fd else [])]
    with lab.open(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            listens = process.stdout.readline().strip()
            assert fd is None or listens == str(fd)
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> list[list[str]]:
    """Return what a monitor has heard."""
    out, _ = process.communicate("now\n", timeout=60)
    events: list[list[str]] = json.loads(out)
    return events


def test_children_come_last_and_go_first(usb_lab: Lab) -> None:
    """A board's events come in the kernel's order: device, interface, tty; and the other way round."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-3", "plugged": False})
    with monitor(usb_lab) as process:
        usb_lab.client.board("a").plug()
        usb_lab.client.board("a").unplug()
        events = heard(process)
    parts = ["1-3", "1-3:1.0", "ttyACM0", "1-3:1.1", "1-3:1.2", "ttyACM1", "1-3:1.3"]
    added = [name for action, name in events if action == "add" and name in parts]
    assert added == parts
    assert [name for action, name in events if action == "bind" and name in parts] == [
        name for name in parts if not name.startswith("tty")
    ]
    assert [name for action, name in events if action == "remove"] == list(reversed(parts))


def test_filters_of_monitors_let_the_right_events_through(usb_lab: Lab) -> None:
    """The hashes in an event are those that libudev's own socket filters look for, of any length."""
    add = usb_lab.client.add_stranger
    with (
        monitor(usb_lab, ["tty"]) as ttys,
        monitor(usb_lab, ["usb-serial"]) as bridges,
        monitor(usb_lab, ["usb", "usb_interface"]) as interfaces,
    ):
        for driver, port in (("cp210x", "4-1"), ("cdc_acm", "4-2")):
            add(vendor_id=1, product_id=2, manufacturer="m", product="p", port=port, port_driver=driver)
        heard_ttys, heard_bridges, heard_interfaces = heard(ttys), heard(bridges), heard(interfaces)
    assert heard_ttys == [["add", "ttyUSB0"], ["add", "ttyACM0"]]
    assert heard_bridges == [["add", "ttyUSB0"]]
    assert [name for action, name in heard_interfaces if action == "add"] == ["4-1:1.0", "4-2:1.0", "4-2:1.1"]


def test_two_processes_listen_on_one_descriptor_number(usb_lab: Lab) -> None:
    """The preload library gives both one socket name; each hears everything all the same."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-3"})
    with monitor(usb_lab, ["tty"], fd=40) as first, monitor(usb_lab, ["tty"], fd=40) as second:
        usb_lab.client.board("a").unplug()
        expected = [["remove", "ttyACM1"], ["remove", "ttyACM0"]]
        assert heard(first) == expected
        assert heard(second) == expected


def test_a_monitor_that_does_not_read_loses_nothing_and_holds_nobody_up(usb_lab: Lab) -> None:
    """A socket queues ten datagrams: the rest waits until the monitor reads; one that died is forgotten."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-3", "plugged": False})
    board = usb_lab.client.board("a")
    with monitor(usb_lab, ["tty"]) as process, monitor(usb_lab, ["tty"]) as dies:
        dies.kill()
        dies.wait()
        for _ in range(20):
            board.plug()
            board.unplug()
        events = heard(process)
    one_round = [["add", "ttyACM0"], ["add", "ttyACM1"], ["remove", "ttyACM1"], ["remove", "ttyACM0"]]
    assert events == one_round * 20


def test_two_boards_swap_ports_and_names(usb_lab: Lab) -> None:
    """After a swap each has the other's hub port and tty names, and answers as itself under them."""
    boards = {}
    for board, port in (("a", "1-1.1"), ("b", "1-1.2")):
        boards[board] = usb_lab.client.add(
            "nrf9160dk-virtual", id=board, usb={"port": port, "serial": "0009600"}
        )
        assert boards[board].usb == {"serial": "0009600", "port": port}
    for board in boards:
        usb_lab.client.board(board).unplug()
    usb_lab.client.board("a").plug("1-1.2", {"console": "ttyACM2", "trace": "ttyACM3"})
    usb_lab.client.board("b").plug("1-1.1", {"console": "ttyACM0", "trace": "ttyACM1"})
    found = usb_lab.python("""
import serial, serial.tools.list_ports
for info in sorted(serial.tools.list_ports.comports()):
    if info.location.endswith(".0"):
        with serial.Serial(info.device, timeout=10) as port:
            port.write(b"AT+CGSN\\r\\n")
            imei = port.read_until(b"OK\\r\\n").decode().split()[0]
            print(info.device, info.location, info.serial_number, imei)
""")
    assert found.splitlines() == [
        f"/dev/ttyACM0 1-1.1:1.0 0009600 {boards['b'].properties['imei']}",
        f"/dev/ttyACM2 1-1.2:1.0 0009600 {boards['a'].properties['imei']}",
    ]
    # Their by-id links were one name: whoever came last has it, and gives it back with its cable.
    link = "/dev/serial/by-id/usb-SEGGER_J-Link_0009600-if00"
    follow = f"import os; print(os.path.realpath({link!r}))"
    assert usb_lab.python(follow).strip() == "/dev/ttyACM0"
    usb_lab.client.board("b").unplug()
    assert usb_lab.python(follow).strip() == "/dev/ttyACM2"


def test_a_replug_comes_back_under_other_names_or_those_asked_for(usb_lab: Lab) -> None:
    """Without names all are new; one that was its own may be kept; one that is taken changes nothing."""
    client = usb_lab.client
    client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1"})
    client.add("nrf9160dk-virtual", id="b", usb={"port": "1-2"})
    board = client.board("a")
    board.replug()
    assert [str(path) for path in board.state().ports.values()] == ["/dev/ttyACM4", "/dev/ttyACM5"]
    board.replug("1-7", {"trace": "ttyACM4"})
    state = board.state()
    assert {role: str(path) for role, path in state.ports.items()} == {
        "console": "/dev/ttyACM0",
        "trace": "/dev/ttyACM4",
    }
    assert state.usb["port"] == "1-7"
    for port, names in (
        ("1-2", {}),
        (None, {"console": "ttyACM2"}),
        (None, {"console": "ttyACM9", "trace": "ttyACM9"}),
    ):
        ran = usb_lab.run(
            [
                *(sys.executable, "-m", "harness.cli", "bench", "replug", "a", "--bench", str(client.socket)),
                *(["--port", port] if port else []),
                *(word for role, name in names.items() for word in ("--name", f"{role}={name}")),
            ]
        )
        assert ran.returncode == 4, ran.stderr
        assert board.state() == state
