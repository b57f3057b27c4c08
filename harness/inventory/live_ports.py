"""The host's serial ports as they are now, kept true by what udev tells instead of listed again and again."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from harness.inventory.port_watch import PortAdded, PortRemoved, PortWatch

if TYPE_CHECKING:
    from harness.inventory.serial_ports import SerialPort


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
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Begin to watch, and list what is there."""
        watch = self._resources.enter_context(PortWatch(self._note))
        with self._lock:
            self._listed = True
            for port in watch.ports:
                if port.device not in self._gone:  # what was told since counts before the list
                    self._ports.setdefault(port.device, port)
        return self

    def __exit__(self, *_error: object) -> None:
        """Watch no more."""
        self._resources.close()

    def now(self) -> list[SerialPort]:
        """Return the ports that are there."""
        with self._lock:
            return list(self._ports.values())

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
