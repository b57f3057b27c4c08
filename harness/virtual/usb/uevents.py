"""Hotplug events, as udev's daemon sends them to every monitor of a process in the lab.

umockdev's preload library binds a monitor to a socket ``eventN`` of the testbed, N being the descriptor in
its own process: two processes with the same N take the name from each other. So we connect to each socket
as soon as it appears and keep the connection: it outlives the name. A queue of such a socket is ten
datagrams long; what does not fit waits here until the monitor reads.
"""

from __future__ import annotations

import errno
import itertools
import logging
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.virtual.inotify import CREATE, Inotify
from harness.virtual.loop import READABLE, WRITABLE

if TYPE_CHECKING:
    from pathlib import Path

    from harness.virtual.loop import Loop
    from harness.virtual.usb.device_tree import SysfsDevice

# A monitor that reads nothing loses events, as it would with the kernel's buffer.
MOST_WAITING = 20_000

_MAGIC = 0xFEEDCAFE
# prefix, magic, header size, offset and length of the properties: native order but for the magic;
# hashes of subsystem and devtype and a bloom filter of tags: network order, for the monitors' filters.
_HEADER = struct.Struct("8s4sIII4s4s4s4s")

_log = logging.getLogger(__name__)


def string_hash(text: str) -> int:
    """Return the hash by which monitors filter (MurmurHash2 with seed 0, as in systemd)."""
    data = text.encode()
    mix, mask = 0x5BD1E995, 0xFFFFFFFF
    value = len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * mix & mask
        word = (word ^ word >> 24) * mix & mask
        value = value * mix & mask ^ word
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * mix & mask
    value = (value ^ value >> 13) * mix & mask
    return value ^ value >> 15


def encode_event(device: SysfsDevice, action: str, number: int) -> bytes:
    """Return an event as udev's daemon sends it."""
    properties = {
        "ACTION": action,
        "DEVPATH": device.path,
        "SUBSYSTEM": device.subsystem,
        **device.kernel,
        "SEQNUM": str(number),
        "USEC_INITIALIZED": "1",
        **device.properties,
    }
    if "DEVNAME" in properties:
        properties["DEVNAME"] = f"/dev/{properties['DEVNAME']}"
    if device.device_links:
        properties["DEVLINKS"] = " ".join(f"/dev/{link}" for link in device.device_links)
    body = b"".join(f"{key}={value}\0".encode() for key, value in properties.items())
    devtype = device.kernel.get("DEVTYPE")
    header = _HEADER.pack(
        b"libudev",
        _MAGIC.to_bytes(4, "big"),
        _HEADER.size,
        _HEADER.size,
        len(body),
        string_hash(device.subsystem).to_bytes(4, "big"),
        string_hash(devtype).to_bytes(4, "big") if devtype else bytes(4),
        bytes(4),
        bytes(4),
    )
    return header + body


class _Monitor:
    """Our end of one monitor's socket."""

    def __init__(self, loop: Loop, path: Path) -> None:
        """Connect.

        :raises OSError: nobody is there.
        """
        self._loop = loop
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._waiting: deque[bytes] = deque()
        self._watched = False
        self._lossy = False
        self.gone = False
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def send(self, event: bytes) -> None:
        """Send, now or as soon as there is room."""
        if len(self._waiting) >= MOST_WAITING:
            if not self._lossy:
                _log.warning("a monitor reads nothing: it loses events")
            self._lossy = True
            return
        self._waiting.append(event)
        self._flush()

    def _flush(self) -> None:
        while self._waiting and not self.gone:
            try:
                self._socket.send(self._waiting[0])
            except BlockingIOError:
                break
            except OSError as error:
                # ENOBUFS would be the kernel's trouble; everything else says that the monitor was closed.
                if error.errno not in {errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE}:
                    _log.warning("a monitor cannot be told: %s", error)
                self.gone = True
                break
            self._waiting.popleft()
        self._wait(wanted=bool(self._waiting) and not self.gone)

    def _wait(self, *, wanted: bool) -> None:
        if wanted and not self._watched:
            self._loop.watch(self._socket.fileno(), WRITABLE, lambda _events: self._flush())
        elif self._watched and not wanted:
            self._loop.unwatch(self._socket.fileno())
        self._watched = wanted

    def close(self) -> None:
        """Hang up."""
        self._wait(wanted=False)
        self._socket.close()


class Uevents:
    """Tells every monitor in the lab. It belongs to the loop's thread."""

    def __init__(self, loop: Loop, root: Path) -> None:
        """Wait for monitors.

        :param loop: the bench's loop.
        :param root: the testbed's directory, where their sockets appear.
        :raises OSError: there is no inotify instance left.
        """
        self._loop = loop
        self._root = root
        self._monitors: list[_Monitor] = []
        self._numbers = itertools.count(1)
        self._inotify = Inotify()
        self._inotify.add(str(root), CREATE, self._came)
        loop.watch(self._inotify.fd, READABLE, lambda _events: self._inotify.dispatch())

    def _came(self, _events: int, name: str) -> None:
        if not name.startswith("event"):
            return
        # It may be gone again already.
        with suppress(OSError):
            self._monitors.append(_Monitor(self._loop, self._root / name))

    def tell(self, device: SysfsDevice, action: str) -> None:
        """Tell of a change.

        :param device: the device.
        :param action: ``add``, ``bind``, ``unbind`` or ``remove``.
        """
        self._inotify.dispatch()  # whoever began to listen before this change is told of it
        event = encode_event(device, action, next(self._numbers))
        for monitor in self._monitors:
            monitor.send(event)
        for monitor in [each for each in self._monitors if each.gone]:
            monitor.close()
            self._monitors.remove(monitor)

    def close(self) -> None:
        """Let every monitor go."""
        self._loop.unwatch(self._inotify.fd)
        self._inotify.close()
        for monitor in self._monitors:
            monitor.close()
        self._monitors.clear()
