"""The serial endpoints of virtual boards: ptys under names of our own, with line faults.

What a pty does unlike a UART is evened out here (testbed fact sheet, sections 2 and 11): what a board
sends while nobody has its port open is lost, and so is what a client left unread when it closed; the line
discipline is raw again for the next client; a board that vanishes lets its reader take what has arrived.
Without inotify (no instance left) ptys keep what was sent, as they do by themselves.
"""

from __future__ import annotations

import errno
import itertools
import logging
import os
import select
import termios
import time
import tty
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.virtual.loop import READABLE, WRITABLE
from harness.virtual.modem_lines import ModemLines
from harness.virtual.shaping import Garbler, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.virtual.cables import PortName
    from harness.virtual.loop import Loop, LoopTimer
    from harness.virtual.tty_watch import TtyWatch

LINK_PREFIX = "ttyVB"
DRAIN_SECONDS = 0.2

_READ_SIZE = 65536
# A pty takes a few kilobytes at once; to offer it megabytes again and again would only copy them.
_WRITE_SIZE = 65536
# No event says that a client has read what it had: a board about to vanish looks this often.
_DRAIN_LOOK_SECONDS = 0.001
# What waits for a reader who does not read; a UART would have lost it long before.
_MOST_PENDING = 4 * 1024 * 1024
_PLAIN = Shape()
# Where termios keeps the control modes.
_CFLAGS = 2

_LOCKS = Path("/proc/locks")

_log = logging.getLogger(__name__)


def is_locked_by_a_client(tty_fd: int) -> bool:
    """Tell whether somebody has a tty for himself alone, as pyserial's ``exclusive`` takes it (``flock``).

    :param tty_fd: a descriptor of the tty.
    """
    tty_status = os.fstat(tty_fd)
    device = f"{os.major(tty_status.st_dev):02x}:{os.minor(tty_status.st_dev):02x}:{tty_status.st_ino}"
    try:
        locks = _LOCKS.read_text(encoding="ascii")
    except OSError:  # it is not for us to read
        return False
    return any(entry[1:2] == ["FLOCK"] and device in entry for entry in map(str.split, locks.splitlines()))


class PortNames:
    """Hands out link names, the lowest free number first."""

    def __init__(self, directory: Path) -> None:
        """Name the links of one directory.

        :param directory: where the links are made.
        """
        self._directory = directory
        self._taken: set[Path] = set()

    def take(self, *, avoid: Collection[Path] = ()) -> Path:
        """Take the link with the lowest free number.

        :param avoid: links to pass over though they are free.
        """
        for number in itertools.count():
            link = self._directory / f"{LINK_PREFIX}{number}"
            if link not in self._taken and link not in avoid:
                break
        self._taken.add(link)
        return link

    def release(self, link: Path) -> None:
        """Give a link back."""
        self._taken.discard(link)


class PortHearer(Protocol):
    """Whoever is told what clients do with a port."""

    def receive(self, data: bytes) -> None:
        """A client has written."""

    def client_came(self) -> None:
        """A client has opened the port."""

    def settings_changed(self) -> None:
        """The last client has closed the port and had changed its settings."""

    def lines_changed(self, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        """DTR or RTS has changed."""


class Port:
    """One pty with its link. It belongs to the loop's thread."""

    def __init__(
        self,
        loop: Loop,
        watch: TtyWatch | None,
        *,
        name: PortName,
        hearer: PortHearer,
        shape: Shape = _PLAIN,
        mode: int | None = None,
    ) -> None:
        """Open the pty and make its link appear, whole or not at all.

        :param loop: the loop that serves it.
        :param watch: tells opens and closes; ``None``: nobody does.
        :param name: the name under which clients open it.
        :param hearer: told what clients do with it.
        :param shape: faults of the line.
        :param mode: permissions of the tty; ``None`` leaves them as they are.
        """
        self._loop = loop
        self._watch = watch
        self.name = name
        self.lines = ModemLines(self._lines_changed)
        self._hearer = hearer
        self._pending = bytearray()
        self._overrun = False
        self._busy: LoopTimer | None = None
        self._blocked = False
        self._closed = False
        self._shape = _PLAIN
        self._garbler: Garbler | None = None
        # None: not known, so that nothing is dropped.
        self._clients: int | None = None
        self._master, self._slave = os.openpty()
        try:
            if mode is not None:
                os.fchmod(self._slave, mode)
            self._appear(shape)
        except OSError:
            os.close(self._master)
            os.close(self._slave)
            raise

    def _appear(self, shape: Shape) -> None:
        os.set_blocking(self._master, False)
        tty.setraw(self._slave)
        self._raw = termios.tcgetattr(self._slave)
        self._raw[_CFLAGS] |= termios.HUPCL  # as every serial port has it, and no pty
        termios.tcsetattr(self._slave, termios.TCSANOW, self._raw)
        path = os.ttyname(self._slave)
        link = self.name.link
        temporary = link.with_name(f".{link.name}.new")
        temporary.symlink_to(path)
        if self._watch is not None:
            self._handle = self._watch.add(path, self._client_came_or_went)
            self._clients = 0
        self._loop.watch(self._master, READABLE, self._on_ready)
        self.shape(shape)
        temporary.rename(link)

    def _client_came_or_went(self, came: bool) -> None:  # noqa: FBT001 - the callback's one fact
        assert self._clients is not None  # noqa: S101 - only a watched port is called back
        self._clients = max(0, self._clients + (1 if came else -1))
        if self._clients == 0 and is_locked_by_a_client(self._slave):
            self._clients = 1  # of events that are alike the kernel tells one: an open was not counted
        if came:
            self._hearer.client_came()
            if self._clients == 1:
                self.lines.client_came()
        elif self._clients == 0:
            self._pending.clear()
            termios.tcflush(self._slave, termios.TCIFLUSH)
            settings = termios.tcgetattr(self._slave)
            if settings != self._raw:
                self._hearer.settings_changed()
                termios.tcsetattr(self._slave, termios.TCSANOW, self._raw)
            self.lines.client_went(hang_up=bool(settings[_CFLAGS] & termios.HUPCL))

    def _lines_changed(self, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        self._hearer.lines_changed(dtr, rts)

    def shape(self, shape: Shape) -> None:
        """Change the faults of the line, from the next byte on."""
        self._shape = shape
        self._garbler = Garbler(shape.garble, shape.seed) if shape.garble else None
        if self._busy is not None:
            self._busy.cancel()
            self._busy = None
        self._pump()

    def drop_pending(self) -> None:
        """Forget what was sent and has not left the board yet."""
        self._pending.clear()

    def send(self, data: bytes) -> None:
        """Transmit; nothing happens when nobody has the port open."""
        if self._closed or self._clients == 0 or self._shape.silent:
            return
        if self._garbler is not None:
            data = self._garbler.apply(data)
        if self._pending or self._busy is not None or self._shape.paced:
            self._queue(data)
            self._pump()
            return
        written = self._write(data)
        if written < len(data):
            self._queue(data[written:])
            self._pump()

    def _queue(self, data: bytes) -> None:
        room = _MOST_PENDING - len(self._pending)
        if len(data) > room and not self._overrun:
            self._overrun = True
            _log.warning("%s: nobody reads; beyond %d bytes all is lost", self.name.shown, _MOST_PENDING)
        self._pending += data[: max(0, room)]

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def _pump(self) -> None:
        """Write what may be written now; arrange for the rest."""
        while self._pending and self._busy is None:
            size = self._shape.piece if self._shape.paced else _WRITE_SIZE
            written = self._write(self._pending[:size])
            if written == 0:
                self._wait_for_room(blocked=True)
                return
            del self._pending[:written]
            seconds = self._shape.seconds_after(written)
            if seconds > 0:
                self._busy = self._loop.call_later(seconds, self._line_is_free)
        self._wait_for_room(blocked=False)

    def _wait_for_room(self, *, blocked: bool) -> None:
        if blocked != self._blocked and not self._closed:
            self._blocked = blocked
            self._loop.watch(self._master, READABLE | WRITABLE if blocked else READABLE, self._on_ready)

    def _line_is_free(self) -> None:
        self._busy = None
        self._pump()

    def _on_ready(self, events: int) -> None:
        if events & READABLE:
            if self._clients == 0 and self._watch is not None:
                self._watch.dispatch()  # whoever wrote this may have come in this very round
            try:
                data = os.read(self._master, _READ_SIZE)
            except BlockingIOError:
                data = b""
            if data:
                self._hearer.receive(data)
        if events & WRITABLE and self._blocked and not self._closed:
            self._pump()

    def hide(self) -> None:
        """Remove the link and stop serving; what has arrived can still be read until :meth:`close`."""
        if self._closed:
            return
        self._closed = True
        self.name.link.unlink(missing_ok=True)
        self._loop.unwatch(self._master)
        if self._watch is not None:
            self._watch.dispatch()
            self._watch.remove(self._handle)
        if self._busy is not None:
            self._busy.cancel()
            self._busy = None
        self._pending.clear()

    def close(self) -> None:
        """Close both ends at once; a blocked client is told by a hang-up."""
        self.hide()
        for fd in (self._master, self._slave):
            with suppress(OSError):
                os.close(fd)

    def vanish(self, gone: Callable[[], None]) -> None:
        """Close after a client had the chance to take what has arrived.

        The kernel discards unread bytes at the hang-up, so this waits until they are read,
        :data:`DRAIN_SECONDS` at most.

        :param gone: called when the port is closed.
        """
        self.hide()
        deadline = time.monotonic() + DRAIN_SECONDS

        def look() -> None:
            if self._clients != 0 and self._unread() and time.monotonic() < deadline:
                self._loop.call_later(_DRAIN_LOOK_SECONDS, look)
                return
            self.close()
            gone()

        look()

    def _unread(self) -> bool:
        poller = select.poll()
        poller.register(self._slave, select.POLLIN)
        try:
            return bool(poller.poll(0))
        except OSError as error:  # pragma: no cover - the kernel has no memory for the poll
            if error.errno == errno.ENOMEM:
                return False
            raise
