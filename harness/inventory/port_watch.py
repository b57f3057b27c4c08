"""Tells which serial ports come and go, from a list of those that are there.

udev tells as soon as it has made a port ready. Where nobody tells (other systems, a host without its daemon)
pyserial's list is looked at again and again.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from harness.inventory import serial_ports
from harness.inventory.udev import EventsLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from harness.inventory.serial_ports import SerialPort
    from harness.inventory.udev import TtyMonitor, UdevTty

#: How long a change may go unnoticed where nobody tells of it.
LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PortAdded:
    """A port is there; it may be known already, when this happened while the first list was made.

    :ivar port: the port.
    """

    port: SerialPort


@dataclass(frozen=True, slots=True)
class PortRemoved:
    """A port is gone.

    :ivar device: its path, which may be that of another port by now.
    :ivar location: where its USB device was.
    """

    device: str
    location: str | None = None


class PortWatch:
    """Watches the host's serial ports from when it is entered until it is left.

    :param tell: is called with each change, in their order, on a thread of the watch; what it raises is
        logged, and ends nothing.
    :param look_seconds: how often ports are listed where nobody tells of changes.
    :ivar ports: the ports that were there when it was entered.
    """

    def __init__(
        self, tell: Callable[[PortAdded | PortRemoved], None], *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        """Watch nothing yet."""
        self.ports: tuple[SerialPort, ...] = ()
        self._tell = tell
        self._look_seconds = look_seconds
        self._known: dict[str, SerialPort] = {}
        self._over = threading.Event()
        self._close = ExitStack()

    def __enter__(self) -> Self:
        """Begin to watch, and list what is there.

        :raises OSError: the system does not let us listen.
        """
        udev = serial_ports.connect_to_udev()
        with ExitStack() as closing:
            # Whoever listened after listing would never hear of what came in between.
            monitor = None
            if udev is not None and udev.tells_of_events:
                monitor = closing.enter_context(udev.monitor())
            self.ports = tuple(serial_ports.list_serial_ports())
            self._known = {port.device: port for port in self.ports}
            over, end = os.pipe()
            closing.callback(os.close, over)
            watching = threading.Thread(
                target=self._look_again_and_again
                if monitor is None
                else partial(self._listen, monitor, over),
                name="port watch",
                daemon=True,
            )
            watching.start()
            closing.callback(watching.join)
            closing.callback(os.close, end)
            closing.callback(self._over.set)
            self._close = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End: nothing is told any more."""
        self._close.close()

    def _listen(self, monitor: TtyMonitor, over: int) -> None:
        """Wait for udev's events until the watch is over."""
        waiting = select.poll()
        for descriptor in (monitor.fileno(), over):
            waiting.register(descriptor, select.POLLIN)
        while not any(descriptor == over for descriptor, _ in waiting.poll()):
            try:
                self._hear(monitor)
            except OSError as error:
                _log.warning("udev tells no more which ports come and go: %s", error)
                self._look_again_and_again()
                return

    def _hear(self, monitor: TtyMonitor) -> None:
        """Take what udev has told."""
        try:
            while (event := monitor.receive()) is not None:
                self._take(*event)
        except EventsLostError:
            self._compare(serial_ports.list_serial_ports())

    def _take(self, action: str, tty: UdevTty) -> None:
        port = serial_ports.port_of_udev(tty)
        if action == "remove":
            self._remove(port.device)
        elif port.vid is not None:  # without its USB device it is gone already, which is told next
            self._add(port)

    def _look_again_and_again(self) -> None:
        """List the ports until the watch is over."""
        while not self._over.wait(self._look_seconds):
            try:
                listed = serial_ports.list_serial_ports()
            except OSError as error:  # for example: there are too many open files at this moment
                _log.warning("serial ports cannot be listed: %s", error)
                continue
            self._compare(listed)

    def _compare(self, listed: Iterable[SerialPort]) -> None:
        """Tell in what a list is different from what was told."""
        there = {port.device: port for port in listed}
        for device in [device for device in self._known if device not in there]:
            self._remove(device)
        for port in there.values():
            self._add(port)

    def _add(self, port: SerialPort) -> None:
        known = self._known.get(port.device)
        if known is not None and _who(known) == _who(port):
            return
        self._remove(port.device)
        self._known[port.device] = port
        self._say(PortAdded(port))

    def _remove(self, device: str) -> None:
        port = self._known.pop(device, None)
        if port is not None:
            self._say(PortRemoved(device, port.location))

    def _say(self, news: PortAdded | PortRemoved) -> None:
        try:
            self._tell(news)
        except Exception:  # noqa: BLE001 - whoever listens must not keep us from the next change
            _log.exception("nobody took the news %s", news)


def _who(port: SerialPort) -> tuple[object, ...]:
    """Return what stays as long as nobody unplugs a port; the device number is another after every plug."""
    usb = next((one for one in port.ancestors if one.get("DEVTYPE") == "usb_device"), {})
    ids = (port.vid, port.pid, port.serial_number, port.location, port.interface)
    return (*ids, usb.get("DEVNAME"))
