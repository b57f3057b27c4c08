"""Answers the ioctls that clients make on the lab's ttys, instead of umockdev, which refuses them all.

The modem lines are ours; everything else (FIONREAD, any baud rate, TIOCEXCL) the client is told to do for
real, on the pty. Messages are three native unsigned longs (testbed fact sheet, section 1, pitfall 4).
There is a socket for each tty, none called ``_default``: with that one every failing open below ``/dev``
would use up one of the fifty descriptors that the preload library can tell apart, and then end the client.
Without it, the library forgets to close a socket for every open of something else below ``/dev``.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from typing import TYPE_CHECKING

from harness.virtual.loop import READABLE
from harness.virtual.modem_lines import TIOCMBIC, TIOCMBIS, TIOCMGET, TIOCMSET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.virtual.loop import Loop, LoopTimer
    from harness.virtual.modem_lines import ModemLines

# A client between seeing the socket and connecting to it would be ended by the preload library if it went;
# one that opens the name while it lingers in vain uses up one of its fifty descriptors.
LINGER_SECONDS = 0.1

_MESSAGE = struct.Struct("@LLL")
_INT = struct.Struct("@i")
_IOCTL, _RESULT, _DONE, _RUN, _READ_MEM, _WRITE_MEM = 1, 2, 3, 4, 5, 6
_FAILED = (1 << 8 * struct.calcsize("@L")) - 1
_BACKLOG = 64

_log = logging.getLogger(__name__)


class _Client:
    """One open of a tty by a client; lives until the client closes it, whatever becomes of the tty."""

    def __init__(
        self, loop: Loop, peer: socket.socket, lines: ModemLines | None, ended: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._peer = peer
        self._lines = lines
        self._ended = ended
        self._received = bytearray()
        # The request whose argument is on its way to us.
        self._argument_of: int | None = None
        peer.setblocking(False)
        loop.watch(peer.fileno(), READABLE, lambda _events: self._read())

    def tty_is_gone(self) -> None:
        """Pass everything through from now on: the pty says by itself that it was hung up."""
        self._lines = None

    def _read(self) -> None:
        try:
            data = self._peer.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._ended()
            return
        self._received += data
        try:
            while self._take():
                pass
        except OSError:
            # The client was killed between its request and our answer.
            self._ended()

    def _take(self) -> bool:
        """Handle one message; return whether there was one."""
        if self._argument_of is not None:
            if len(self._received) < _INT.size:
                return False
            (bits,) = _INT.unpack_from(self._received)
            del self._received[: _INT.size]
            request, self._argument_of = self._argument_of, None
            if self._lines is None:
                self._send(_DONE, _FAILED, errno.EIO)
            else:
                self._lines.change(request, bits)
                self._send(_DONE, 0, 0)
            return True
        if len(self._received) < _MESSAGE.size:
            return False
        command, first, second = _MESSAGE.unpack_from(self._received)
        del self._received[: _MESSAGE.size]
        if command == _IOCTL:
            self._begin(first & 0xFFFFFFFF, second)
        elif command == _RESULT:
            self._send(_DONE, first, second)
        else:  # reads and writes of emulated devices; ours are real
            self._send(_RUN, 0, 0)
        return True

    def _begin(self, request: int, pointer: int) -> None:
        if self._lines is None or request not in {TIOCMGET, TIOCMBIS, TIOCMBIC, TIOCMSET}:
            self._send(_RUN, 0, 0)
        elif request == TIOCMGET:
            self._peer.send(_MESSAGE.pack(_WRITE_MEM, pointer, _INT.size) + _INT.pack(self._lines.bits))
            self._send(_DONE, 0, 0)
        else:
            self._argument_of = request
            self._send(_READ_MEM, pointer, _INT.size)

    def _send(self, command: int, first: int, second: int) -> None:
        self._peer.send(_MESSAGE.pack(command, first, second))

    def close(self) -> None:
        self._loop.unwatch(self._peer.fileno())
        self._peer.close()


class _Listener:
    """The socket of one tty name; the tty behind it may change."""

    def __init__(self, loop: Loop, path: Path) -> None:
        self.path = path
        self._loop = loop
        self.lines: ModemLines | None = None
        self.clients: list[_Client] = []
        self.lingering: LoopTimer | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._socket.bind(str(path))
        self._socket.listen(_BACKLOG)
        loop.watch(self._socket.fileno(), READABLE, lambda _events: self._accept())

    def _accept(self) -> None:
        """Take everybody who waits: at the end nobody may be left in the queue, who would be cut off."""
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:  # nobody is left, or we have no descriptor left
                return
            self._serve(peer)

    def _serve(self, peer: socket.socket) -> None:
        client = _Client(self._loop, peer, self.lines, lambda: self._ended(client))
        self.clients.append(client)

    def _ended(self, client: _Client) -> None:
        client.close()
        self.clients.remove(client)

    def stop(self) -> None:
        """Take no client any more; those that there are go on."""
        self.path.unlink(missing_ok=True)
        self._accept()
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()


class IoctlServer:
    """The sockets of all ttys. It belongs to the loop's thread."""

    def __init__(self, loop: Loop, root: Path) -> None:
        """Serve no tty yet.

        :param loop: the bench's loop.
        :param root: the testbed's directory.
        """
        self._loop = loop
        self._directory = root / "ioctl" / "dev"
        self._listeners: dict[str, _Listener] = {}
        # Of ttys whose names are not served any more.
        self._left: list[_Listener] = []

    def serve(self, tty: str, lines: ModemLines) -> None:
        """Answer for a tty.

        :param tty: its name.
        :param lines: its modem lines.
        """
        listener = self._listeners.get(tty)
        if listener is None:
            listener = self._listeners[tty] = _Listener(self._loop, self._directory / tty)
        if listener.lingering is not None:
            listener.lingering.cancel()
            listener.lingering = None
        listener.lines = lines

    def end(self, tty: str) -> None:
        """A tty is gone; who has it open is served on."""
        listener = self._listeners[tty]
        listener.lines = None
        for client in listener.clients:
            client.tty_is_gone()
        listener.lingering = self._loop.call_later(LINGER_SECONDS, lambda: self._stop(tty))

    def _stop(self, tty: str) -> None:
        listener = self._listeners.pop(tty)
        listener.stop()
        self._left = [each for each in [*self._left, listener] if each.clients]

    def close(self) -> None:
        """End every socket; a client that makes an ioctl afterwards is ended by the preload library."""
        for listener in self._listeners.values():
            if listener.lingering is not None:
                listener.lingering.cancel()
            listener.stop()
        for listener in [*self._listeners.values(), *self._left]:
            for client in listener.clients:
                client.close()
        self._listeners.clear()
        self._left.clear()
