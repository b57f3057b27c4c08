"""The host's serial ports as they are now, kept true by what udev tells.

What udev tells is fast and may get lost; so they are listed anew now and then, too.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from harness.inventory import serial_ports
from harness.inventory.port_watch import PortAdded, PortRemoved, PortWatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.inventory.serial_ports import SerialPort

#: How long nothing but what udev tells is relied on.
RELIST_SECONDS = 1.0


class LivePorts:
    """Knows the ports from when it is entered until it is left."""

    def __init__(self, changed: threading.Event) -> None:
        """Know nothing yet.

        :param changed: set whenever something came or went.
        """
        self._changed = changed
        self._lock = threading.Lock()
        self._ports: dict[str, SerialPort] = {}
        self._gone: set[str] = set()
        self._listed = False
        self._list_again = 0.0
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Begin to watch, and list what is there."""
        watch = self._resources.enter_context(PortWatch(self._note))
        with self._lock:
            self._listed = True
            self._list_again = time.monotonic() + RELIST_SECONDS
            for port in watch.ports:
                if port.device not in self._gone:  # what was told since counts before the list
                    self._ports.setdefault(port.device, port)
        return self

    def __exit__(self, *_error: object) -> None:
        """Watch no more."""
        self._resources.close()

    def now(self) -> list[SerialPort]:
        """Return the ports that are there; one that is still the same is the same object."""
        if time.monotonic() >= self._list_again:
            self._list_again = time.monotonic() + RELIST_SECONDS
            self._compare(serial_ports.list_serial_ports())
        with self._lock:
            return list(self._ports.values())

    def _compare(self, listed: Iterable[SerialPort]) -> None:
        there = {port.device: port for port in listed}
        with self._lock:
            for device, port in self._ports.items():
                if there.get(device) == port:
                    there[device] = port
            self._ports = there

    def _note(self, event: PortAdded | PortRemoved) -> None:
        with self._lock:
            if isinstance(event, PortAdded):
                self._ports[event.port.device] = event.port
                self._gone.discard(event.port.device)
            else:
                self._ports.pop(event.device, None)
                if not self._listed:
                    self._gone.add(event.device)
        self._changed.set()
