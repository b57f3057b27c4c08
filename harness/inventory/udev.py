"""What udev knows of the ttys on USB, and what it tells when they come and go.

The one module that knows pyudev, which knows libudev: it hands out plain data, and nothing is opened. Traps
of theirs are in the testbed fact sheet, section 1.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

#: Set in every process that sees the devices of a virtual USB lab in the place of the host's.
MOCK_VARIABLE = "UMOCKDEV_DIR"
# Without the daemon nobody sends what a monitor waits for.
_CONTROL = Path("/run/udev/control")
# Of a USB device and of its interface, as sysfs calls them; udev's own copies have odd characters replaced.
_ATTRIBUTES = {
    "usb_device": ("idVendor", "idProduct", "serial", "manufacturer", "product"),
    "usb_interface": ("bInterfaceNumber", "interface"),
}
# What is true of an event and not of its device.
_OF_EVENTS = frozenset({"ACTION", "SEQNUM"})
# Room for the messages of some hundred boards that come at once; the default drops them sooner.
_BUFFER_BYTES = 8 * 1024 * 1024

# libudev leaves it to its callers that one thread at a time uses a context and what was made with it: that
# ends with the frame of whoever looks, before the lock is given back.
_CONTEXT_IN_USE = threading.Lock()

_log = logging.getLogger(__name__)


# What is known of a device and of those above it, nearest first.
_Chain: TypeAlias = "tuple[Mapping[str, str], ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class UdevTty:
    """A tty on USB as udev knows it.

    :ivar device: its path.
    :ivar properties: what udev's rules say of it.
    :ivar ancestors: of each device above it, nearest first, the properties and some attributes of sysfs.
    """

    device: str
    properties: Mapping[str, str] = field(hash=False)
    ancestors: tuple[Mapping[str, str], ...] = field(default=(), hash=False)


class EventsLostError(Exception):
    """More happened than was read in time: what is there has to be listed anew."""


@cache
def _context() -> Any:
    """Return the context that all lists are made with: to look for the library pyudev starts a process."""
    import pyudev  # type: ignore[import-untyped]  # it has no types

    return pyudev.Context()


class Udev:
    """The connection to libudev."""

    def __init__(self) -> None:
        """Connect.

        :raises ImportError: this host has no pyudev, or no libudev.
        """
        import pyudev

        self._pyudev = pyudev
        self._context = _context()

    @property
    def tells_of_events(self) -> bool:
        """Whether somebody tells when devices come and go: udev's daemon, or a virtual USB lab."""
        return _CONTROL.exists() or MOCK_VARIABLE in os.environ

    def ttys(self) -> list[UdevTty]:
        """List the ttys that are on USB."""
        with _CONTEXT_IN_USE:
            return self._list()

    def _list(self) -> list[UdevTty]:
        known: dict[str, _Chain] = {}
        listed = self._context.list_devices(subsystem="tty", ID_BUS="usb")
        return [tty for tty in (_describe(device, known) for device in listed) if tty is not None]

    def tty(self, device: str) -> UdevTty | None:
        """Describe the one tty on USB that has a path now; ``None`` when there is none.

        :param device: the path.
        """
        with _CONTEXT_IN_USE:
            return self._find(device)

    def _find(self, device: str) -> UdevTty | None:
        try:
            found = self._pyudev.Devices.from_name(self._context, "tty", PurePosixPath(device).name)
        except self._pyudev.DeviceNotFoundError:
            return None
        on_usb = found.properties.get("ID_BUS") == "usb" and found.device_node == device
        return _describe(found, {}) if on_usb else None

    def monitor(self) -> TtyMonitor:
        """Begin to listen for ttys that come and go; the caller lets go of it when it is done.

        :raises OSError: the system does not let us.
        """
        monitor = self._pyudev.Monitor.from_netlink(self._pyudev.Context())
        monitor.filter_by("tty")
        try:
            monitor.set_receive_buffer_size(_BUFFER_BYTES)
        except OSError as error:  # for root only on most systems; what gets lost is noticed
            _log.debug("udev's events get no larger buffer: %s", error)
        monitor.start()
        return TtyMonitor(monitor)


class TtyMonitor:
    """Hears which ttys come and go, until it is left."""

    def __init__(self, monitor: Any) -> None:
        """Listen to a monitor of pyudev's that was started."""
        self._monitor = monitor

    def __enter__(self) -> Self:
        """Return the monitor itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Listen no more: pyudev's monitor is closed when nobody has it."""
        self._monitor = None

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to :meth:`receive`."""
        number: int = self._monitor.fileno()
        return number

    def receive(self) -> tuple[str, UdevTty] | None:
        """Take the next event without waiting.

        :return: what happened (``add``, ``remove``, ...) and to which tty; ``None`` when nothing did.
        :raises EventsLostError: events were lost.
        """
        while True:
            try:
                device = self._monitor.poll(timeout=0)
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    raise EventsLostError from error
                raise
            if device is None:
                return None
            tty = _tty_of_event(device)
            if tty is not None:
                return str(device.action), tty


def _tty_of_event(device: Any) -> UdevTty | None:
    """Describe the tty of an event; of one that is gone nobody knows more than its path."""
    if device.action == "remove":
        path = device.device_node
        return None if path is None else UdevTty(device=path, properties={})
    if device.properties.get("ID_BUS") != "usb":
        return None
    tty = _describe(device, {})
    if tty is None:
        return None
    own = {name: value for name, value in tty.properties.items() if name not in _OF_EVENTS}
    return replace(tty, properties=own)


def _describe(device: Any, known: dict[str, _Chain]) -> UdevTty | None:
    """Describe a tty.

    :param known: devices that were described before, each with all above it, by path: a hub is above many.
    :return: ``None`` for one that has no node.
    """
    path = device.device_node
    if path is None:
        return None
    unknown = []
    above: Any = device.parent
    chain: _Chain = ()
    while above is not None:
        place = above.sys_path
        if place in known:
            chain = known[place]
            break
        unknown.append((place, above))
        above = above.parent
    for place, one in reversed(unknown):
        chain = (_facts(one), *chain)
        known[place] = chain
    return UdevTty(device=path, properties=dict(device.properties), ancestors=chain)


def _facts(device: Any) -> Mapping[str, str]:
    facts = dict(device.properties)
    for name in _ATTRIBUTES.get(facts.get("DEVTYPE", ""), ()):
        value = device.attributes.get(name)
        if value is not None:
            facts[name] = value.decode("utf-8", errors="replace").strip()
    return MappingProxyType(facts)
