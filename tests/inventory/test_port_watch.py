"""Ports that come and go, as udev tells, or as two lists differ."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.inventory import serial_ports
from harness.inventory.port_watch import PortAdded, PortRemoved, PortWatch
from harness.inventory.udev import EventsLostError, UdevTty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.serial_ports import SerialPort
    from tests.virtual.usb.lab import Lab

SECONDS = 30


def tty(name: str, *, serial: str = "1", number: str = "004") -> UdevTty:
    """A tty on USB; the device has a number that another plug changes."""
    device = {
        "DEVTYPE": "usb_device",
        "DEVPATH": "/devices/usb1/1-1",
        "DEVNAME": f"/dev/bus/usb/001/{number}",
        "idVendor": "1366",
        "idProduct": "1061",
        "serial": serial,
    }
    return UdevTty(device=f"/dev/{name}", properties={}, ancestors=(device,))


def port(name: str, *, serial: str = "1", number: str = "004") -> SerialPort:
    """The port that such a tty is."""
    return serial_ports.port_of_udev(tty(name, serial=serial, number=number))


class Happening:
    """What udev tells, by a test's word: fulfils what is used of ``Udev`` and of ``TtyMonitor``."""

    tells_of_events = True

    def __init__(self) -> None:
        """Tell nothing yet."""
        self._events: deque[tuple[str, UdevTty] | Exception] = deque()
        self._reader, self._writer = os.pipe()

    def monitor(self) -> Self:
        """Listen."""
        return self

    def __enter__(self) -> Self:
        """Listen."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Listen no more."""
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        """Return what is readable when something happened."""
        return self._reader

    def tell(self, *events: tuple[str, UdevTty] | Exception) -> None:
        """Let things happen."""
        self._events.extend(events)
        os.write(self._writer, b"x")

    def receive(self) -> tuple[str, UdevTty] | None:
        """Take what happened."""
        if not self._events:
            os.read(self._reader, 1)
            return None
        event = self._events.popleft()
        if isinstance(event, Exception):
            raise event
        return event


class Host:
    """A host whose ports and events a test makes up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, tells: bool) -> None:
        """Show it to whoever looks."""
        self.ports: list[SerialPort] = []
        self.happening = Happening() if tells else None
        self.news: SimpleQueue[PortAdded | PortRemoved] = SimpleQueue()
        monkeypatch.setattr(serial_ports, "connect_to_udev", lambda: self.happening)
        monkeypatch.setattr(serial_ports, "list_serial_ports", self._list)
        self._failing: threading.Event | None = None

    def _list(self) -> list[SerialPort]:
        if self._failing is not None and not self._failing.is_set():
            self._failing.set()
            raise OSError(errno.EMFILE, "too many open files")
        return list(self.ports)

    def list_fails_once(self) -> threading.Event:
        """Let the next list fail; return what is set when it did."""
        self._failing = threading.Event()
        return self._failing

    def watch(self, tell: Callable[[PortAdded | PortRemoved], None] | None = None) -> PortWatch:
        """Watch it."""
        return PortWatch(tell or self.news.put, look_seconds=0.01)

    def next(self) -> PortAdded | PortRemoved:
        """Return the next news."""
        return self.news.get(timeout=SECONDS)

    def tell(self, *events: tuple[str, UdevTty] | Exception) -> None:
        """Let things happen."""
        assert self.happening is not None
        self.happening.tell(*events)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose udev tells."""
    return Host(monkeypatch, tells=True)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host where nobody tells."""
    return Host(monkeypatch, tells=False)


def test_what_udev_tells_is_told(told: Host) -> None:
    """A port that comes, and one that goes with the place where it was, in their order."""
    told.ports = [port("ttyACM0")]

    with told.watch() as watch:
        told.tell(("add", tty("ttyACM1", serial="2")), ("remove", tty("ttyACM0")))

        assert watch.ports == (port("ttyACM0"),)
        assert told.next() == PortAdded(port("ttyACM1", serial="2"))
        assert told.next() == PortRemoved("/dev/ttyACM0", "1-1")
    assert told.news.empty()


def test_what_was_listed_is_not_told_again(told: Host) -> None:
    """An event from before the list, a change of nothing, the end of what never was: no news."""
    told.ports = [port("ttyACM0")]

    with told.watch():
        told.tell(("add", tty("ttyACM0")), ("change", tty("ttyACM0")), ("remove", tty("ttyACM7")))
        told.tell(("add", tty("ttyACM1")))

        assert told.next() == PortAdded(port("ttyACM1"))


@pytest.mark.parametrize("now", [{"number": "005"}, {"serial": "2"}], ids=["plugged again", "another device"])
def test_name_that_became_anothers_is_told_as_gone_first(told: Host, now: dict[str, str]) -> None:
    """When nobody told that a port went, its name's next bearer tells."""
    told.ports = [port("ttyACM0")]

    with told.watch():
        told.tell(("add", tty("ttyACM0", **now)))

        assert told.next() == PortRemoved("/dev/ttyACM0", "1-1")
        assert told.next() == PortAdded(port("ttyACM0", **now))


def test_port_whose_device_is_gone_already_is_not_told(told: Host) -> None:
    """A port that went while udev told of it is never there."""
    with told.watch():
        told.tell(("add", UdevTty(device="/dev/ttyACM0", properties={})), ("add", tty("ttyACM1")))

        assert told.next() == PortAdded(port("ttyACM1"))


def test_lost_events_are_found_out(told: Host) -> None:
    """When events were lost, the list is made again and its differences are told."""
    told.ports = [port("ttyACM0"), port("ttyACM1")]

    with told.watch():
        told.ports = [port("ttyACM1"), port("ttyACM2")]
        told.tell(EventsLostError(), ("add", tty("ttyACM3")))

        assert told.next() == PortRemoved("/dev/ttyACM0", "1-1")
        assert told.next() == PortAdded(port("ttyACM2"))
        assert told.next() == PortAdded(port("ttyACM3"))


def test_udev_that_fails_is_done_without(told: Host, caplog: pytest.LogCaptureFixture) -> None:
    """When udev cannot be heard any more the ports are listed again and again, and the log says so."""
    with told.watch():
        told.tell(OSError(errno.EIO, "broken"))
        told.ports = [port("ttyACM0")]

        assert told.next() == PortAdded(port("ttyACM0"))
    assert "udev tells no more which ports come and go" in caplog.text


def test_where_nobody_tells_lists_are_compared(silent: Host) -> None:
    """Ports that come and go are noticed without udev too."""
    silent.ports = [port("ttyUSB0")]

    with silent.watch() as watch:
        assert watch.ports == (port("ttyUSB0"),)
        silent.ports = [port("ttyUSB1")]

        assert silent.next() == PortRemoved("/dev/ttyUSB0", "1-1")
        assert silent.next() == PortAdded(port("ttyUSB1"))


def test_list_that_fails_once_is_made_again(silent: Host, caplog: pytest.LogCaptureFixture) -> None:
    """A list that cannot be made at one moment does not end the watch."""
    with silent.watch():
        assert silent.list_fails_once().wait(SECONDS)
        silent.ports = [port("ttyUSB0")]

        assert silent.next() == PortAdded(port("ttyUSB0"))
    assert "serial ports cannot be listed: [Errno 24] too many open files" in caplog.text


def test_list_that_fails_when_events_were_lost_is_made_again(told: Host) -> None:
    """Then nobody knows what was missed, and the ports are listed until it is known."""
    with told.watch():
        told.list_fails_once()
        told.ports = [port("ttyUSB0")]
        told.tell(EventsLostError())

        assert told.next() == PortAdded(port("ttyUSB0"))


def test_listener_that_fails_hears_the_next(told: Host, caplog: pytest.LogCaptureFixture) -> None:
    """One piece of news that cannot be taken is logged, and the next is told."""

    def tell(news: PortAdded | PortRemoved) -> None:
        if news == PortAdded(port("ttyACM0")):
            message = "no time"
            raise RuntimeError(message)
        told.news.put(news)

    with told.watch(tell):
        told.tell(("add", tty("ttyACM0")), ("add", tty("ttyACM1")))

        assert told.next() == PortAdded(port("ttyACM1"))
    assert "nobody took the news" in caplog.text
    assert "no time" in caplog.text


@pytest.mark.parametrize("tells", [True, False])
def test_watch_that_is_over_leaves_nothing(monkeypatch: pytest.MonkeyPatch, *, tells: bool) -> None:
    """No thread and no descriptor outlasts it, and nothing is told."""
    before = set(Path("/dev/fd").iterdir())
    host = Host(monkeypatch, tells=tells)
    threads = set(threading.enumerate())

    with host.watch():
        assert len(set(threading.enumerate()) - threads) == 1
    host.ports = [port("ttyACM0")]

    assert set(threading.enumerate()) <= threads  # what others left may end meanwhile
    assert set(Path("/dev/fd").iterdir()) == before
    with pytest.raises(Empty):
        host.news.get(timeout=0.1)


def test_list_that_cannot_be_made_leaves_nothing(told: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first list fails nobody listens any more."""

    def fail() -> list[SerialPort]:
        raise OSError(errno.EMFILE, "too many")

    monkeypatch.setattr(serial_ports, "list_serial_ports", fail)
    threads = set(threading.enumerate())

    with pytest.raises(OSError, match="too many"), told.watch():
        pass

    assert set(threading.enumerate()) <= threads
    assert told.happening is not None
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(told.happening.fileno())


PORTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]))


@given(first=PORTS, lists=st.lists(PORTS, max_size=5))
def test_news_lead_from_each_list_to_the_next(first: dict[str, str], lists: list[dict[str, str]]) -> None:
    """Whoever follows the news knows what is there, and no port is there twice or goes twice."""
    known: dict[str, SerialPort] = {f"/dev/{name}": port(name, serial=one) for name, one in first.items()}

    def follow(news: PortAdded | PortRemoved) -> None:
        if isinstance(news, PortAdded):
            assert news.port.device not in known
            known[news.port.device] = news.port
        else:
            del known[news.device]

    watch = PortWatch(follow)
    watch._known = dict(known)
    for there in lists:
        listed = [port(name, serial=one) for name, one in there.items()]
        watch._compare(listed)
        assert sorted(known.values(), key=lambda one: one.device) == sorted(
            listed, key=lambda one: one.device
        )


WATCHER = """
import json, sys
from harness.inventory.port_watch import PortAdded, PortWatch

def tell(news):
    if isinstance(news, PortAdded):
        port = news.port
        print(json.dumps(["+", port.device, port.serial_number, port.location, port.interface]), flush=True)
    else:
        print(json.dumps(["-", news.device, news.location]), flush=True)

with PortWatch(tell) as watch:
    print(json.dumps([port.device for port in watch.ports if port.vid is not None]), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lines(usb_lab: Lab) -> Iterator[Callable[[], Any]]:
    """What a watch in the lab says: a function that waits for its next line."""
    usb_lab.client.add("nrf9160dk-virtual", id="first", usb={"port": "1-1.2", "serial": "000960000001"})
    with ExitStack() as stack:
        watcher = stack.enter_context(usb_lab.open([sys.executable, "-c", WATCHER], stdin=-1, stdout=-1))
        stack.callback(watcher.kill)
        said: SimpleQueue[str] = SimpleQueue()
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        out = watcher.stdout
        reading = threading.Thread(target=lambda: deque(map(said.put, out), maxlen=0))
        reading.start()
        stack.callback(reading.join)
        stack.callback(watcher.stdin.close)
        yield lambda: json.loads(said.get(timeout=SECONDS))


def test_cables_of_a_lab(usb_lab: Lab, lines: Callable[[], Any]) -> None:
    """Through unpatched libudev: what is there, a late board, a pulled cable, another name for its tty."""
    assert lines() == ["/dev/ttyACM0", "/dev/ttyACM1"]

    usb_lab.client.add(
        "nrf9160dk-virtual", id="late", usb={"port": "2-3", "serial": "000960000002", "plugged": True}
    )
    assert [lines(), lines()] == [
        ["+", "/dev/ttyACM2", "000960000002", "2-3", 0],
        ["+", "/dev/ttyACM3", "000960000002", "2-3", 2],
    ]

    first = usb_lab.client.board("first")
    first.unplug()
    assert sorted([lines(), lines()]) == [["-", "/dev/ttyACM0", "1-1.2"], ["-", "/dev/ttyACM1", "1-1.2"]]

    first.plug(port="1-4", names={"console": "ttyACM7"})
    assert sorted([lines(), lines()]) == [
        ["+", "/dev/ttyACM0", "000960000001", "1-4", 2],
        ["+", "/dev/ttyACM7", "000960000001", "1-4", 0],
    ]


def test_storm_of_cables_of_a_lab(usb_lab: Lab, lines: Callable[[], Any]) -> None:
    """Thirty times unplugged and plugged again without a pause: every time told, nothing left over."""
    there = set(lines())
    first = usb_lab.client.board("first")

    for _round in range(30):
        first.replug()

    for _event in range(30 * 4):
        sign, device, *_ = lines()
        assert (device in there) is (sign == "-")
        there ^= {device}
    assert there == {"/dev/ttyACM0", "/dev/ttyACM1"}
