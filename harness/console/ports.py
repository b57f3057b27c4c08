"""Opened ports: one readable descriptor each, whatever stands behind it.

A local device is opened by pyserial (line speed, flow control, modem lines, exclusive lock) and then read and
written through its descriptor. ``socket://`` is a plain stream socket. For every other pyserial URL a thread
carries what pyserial reads into a socket pair, so that all ports are waited for in the same way.
"""

from __future__ import annotations

import errno
import os
import socket
import termios
import threading
import warnings
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import serial

from harness.errors import BoardLost, RigFault, UsageError

if TYPE_CHECKING:
    from harness.inventory.board import Endpoint

_CONNECT_SECONDS = 5.0
_BRIDGE_POLL_SECONDS = 0.2
_GONE = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.ECONNRESET, errno.EPIPE}


class Port(Protocol):
    """An opened port."""

    @property
    def fd(self) -> int:
        """Descriptor that becomes readable when bytes have arrived."""

    def read(self) -> bytes:
        """Return what has arrived, without waiting; raises ``BlockingIOError`` when there is nothing.

        :raises BoardLost: the port went away.
        """

    def write(self, data: bytes) -> int:
        """Write some of the bytes without waiting and return how many; 0 when none fit now.

        :raises BoardLost: the port went away.
        """

    def flush(self) -> None:
        """Wait until everything written was transmitted.

        :raises BoardLost: the port went away.
        """

    def close(self) -> None:
        """Close it; idempotent."""


def open_port(endpoint: Endpoint, name: str) -> Port:
    """Open the port of an endpoint.

    :param name: what the console is called, for messages.
    :raises BoardLost: there is no such port now.
    :raises RigFault: somebody else has it open, or it may not be opened.
    :raises UsageError: the URL is of no known kind.
    """
    scheme = urlsplit(endpoint.url).scheme
    try:
        if "://" not in endpoint.url:
            return _DevicePort(endpoint, name)
        if scheme == "socket":
            return _SocketPort(endpoint, name)
        return _BridgedPort(endpoint, name)
    except ValueError as error:
        raise UsageError(
            f"{name}: cannot open this kind of port: {error}", key="url", value=endpoint.url
        ) from error
    except (OSError, termios.error) as error:
        raise _open_error(endpoint, name, error) from error


def _open_error(endpoint: Endpoint, name: str, error: Exception) -> RigFault:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number in {errno.EAGAIN, errno.EBUSY} or "exclusively lock" in str(error):
        return RigFault(f"{name}: {endpoint.url} is in use by another program")
    if number == errno.EACCES:
        return RigFault(f"{name}: no permission to open {endpoint.url} (is your user in its group?)")
    return BoardLost(f"{name}: cannot open {endpoint.url}: {error}")


def _set_modem_lines(port: serial.SerialBase, endpoint: Endpoint) -> None:
    """Choose what DTR and RTS are to be from the moment a port is opened."""
    if endpoint.dtr is not None:
        port.dtr = endpoint.dtr
    if endpoint.rts is not None:
        port.rts = endpoint.rts


class _DescriptorPort:
    """What ports with a descriptor of their own share."""

    def __init__(self, fd: int, endpoint: Endpoint, name: str) -> None:
        self.fd = fd
        self._label = f"{name}: {endpoint.url}"

    def read(self) -> bytes:
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            raise
        except OSError as error:
            raise self._lost("reading", error) from error
        if not data:
            raise self._lost("reading", None)
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost("writing", error) from error

    def _lost(self, doing: str, error: Exception | None) -> BoardLost:
        detail = f" ({error})" if error is not None else ""
        return BoardLost(f"{self._label} went away while {doing}{detail}")


class _DevicePort(_DescriptorPort):
    """A local serial device."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._serial = serial.Serial()
        self._serial.port = endpoint.url
        self._serial.baudrate = endpoint.baud
        self._serial.timeout = 0
        self._serial.rtscts = endpoint.rtscts
        self._serial.exclusive = True
        _set_modem_lines(self._serial, endpoint)
        self._serial.open()
        super().__init__(self._serial.fileno(), endpoint, name)

    def flush(self) -> None:
        try:
            termios.tcdrain(self.fd)
        except termios.error as error:
            raise self._lost("flushing", error) from error

    def close(self) -> None:
        try:
            self._serial.close()
        except (OSError, termios.error) as error:
            if error.args and error.args[0] not in _GONE:
                raise


class _SocketPort(_DescriptorPort):
    """A stream socket, as ser2net's raw mode offers it."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        address = urlsplit(endpoint.url)
        if not address.hostname or not address.port:
            raise ValueError("expected socket://HOST:PORT")
        self._socket = socket.create_connection((address.hostname, address.port), _CONNECT_SECONDS)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(self._socket.fileno(), endpoint, name)

    def flush(self) -> None:
        """Nothing to wait for: the kernel sends what a socket was given."""

    def close(self) -> None:
        self._socket.close()


class _BridgedPort(_DescriptorPort):
    """Any other pyserial URL, read by a thread of its own."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._serial = serial.serial_for_url(
            endpoint.url,
            do_not_open=True,  # the modem lines are set before it is opened: opening must not reset a board
            baudrate=endpoint.baud,
            timeout=_BRIDGE_POLL_SECONDS,
            rtscts=endpoint.rtscts,
        )
        if isinstance(self._serial, serial.Serial):  # a local device after all, for example by spy://
            self._serial.exclusive = True
        _set_modem_lines(self._serial, endpoint)
        with warnings.catch_warnings():  # pyserial's own rfc2217 uses what Python deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            self._serial.open()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        super().__init__(self._near.fileno(), endpoint, name)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._carry, name=f"bridge {name}", daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        with self._far:
            while not self._closing.is_set():
                try:
                    data = self._serial.read(max(1, self._serial.in_waiting))
                    if data:
                        self._far.sendall(data)
                except (OSError, TypeError, AttributeError):
                    return  # the port went away or was closed under the read; the near end sees the end

    def write(self, data: bytes) -> int:
        try:
            return self._serial.write(data) or 0
        except (OSError, termios.error) as error:
            raise self._lost("writing", error) from error

    def flush(self) -> None:
        try:
            self._serial.flush()
        except (OSError, termios.error) as error:
            raise self._lost("flushing", error) from error

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._serial.close()
        self._near.close()
