"""Commands executed on a board by SSH: one connection, a deadline on everything.

How the board proves that it is the one that is meant, and how it lets us in: :mod:`harness.ssh.login`.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko

from harness.errors import BoardFault, BoardLost, ConsoleTimeout
from harness.ssh.address import address_of
from harness.ssh.login import left, log_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness.ssh.address import SshAddress

#: How long a board may take to let us in and to begin a command, where there is no less time for all of it.
CONNECT_SECONDS = 10.0
#: What a command may say on each of its two outputs.
MOST_OUTPUT = 4 * 1024 * 1024

#: How long a board may take to boot until it listens again.
BOOT_SECONDS = 60.0

#: How long after a deadline what ends by it of its own accord has surely ended.
_GRACE = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_PIECE = 32 * 1024
#: OpenSSH's server says this into the standard error of a command whose user has no home (sshd's session.c).
_SAID_BY_SERVER = re.compile(rb"\ACould not chdir to home directory [^\n]*\n")
_TAIL = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    :ivar status: its exit status.
    :ivar output: what it wrote to standard output.
    :ivar errors: what it wrote to standard error.
    """

    status: int
    output: bytes
    errors: bytes


class _Answers(threading.Event):
    """By which a channel waits for answers to its requests; the library's own waits for ever."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the deadline at most.

        :raises TimeoutError: no answer came.
        """
        if not super().wait(left(self._deadline) if timeout is None else timeout):
            raise TimeoutError
        return True


def open_channel(transport: paramiko.Transport, deadline: float) -> paramiko.Channel:
    """Open a channel for one command.

    What a command says on one output must not keep it from ending while we still listen to the other: all
    that it may say on both has room.

    :param deadline: for the opening, for beginning the command, and at first for each piece that is sent.
    :return: the channel; the caller closes it.
    :raises TimeoutError: no answer came; also :class:`paramiko.SSHException` and what broke the connection.
    """
    channel = transport.open_session(window_size=2 * MOST_OUTPUT + _PIECE, timeout=left(deadline))
    channel.event = _Answers(deadline)
    channel.settimeout(left(deadline))
    return channel


@contextmanager
def cut_off_after(transport: paramiko.Transport, deadline: float) -> Iterator[threading.Event]:
    """Cut a connection that is still in use a moment after a deadline.

    The library has no time limit for handing bytes to the system, which takes none when its buffers are full
    of what the board has not acknowledged: it froze, or its link did.

    :return: set when the connection was cut; what was under way fails then.
    """
    cut = threading.Event()

    def cut_off() -> None:
        cut.set()
        transport.close()

    timer = threading.Timer(left(deadline) + _GRACE, cut_off)
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
        timer.join()


class SshConnection:
    """A connection to a board, made with the first command and made anew when it broke meanwhile.

    :ivar address: where the board is.
    :ivar name: what it is called in messages.
    """

    def __init__(self, address: SshAddress, name: str) -> None:
        """Connect to nothing yet."""
        self.address = address
        self.name = name
        self._transport: paramiko.Transport | None = None

    def close(self) -> None:
        """End the connection; idempotent."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def execute(self, command: str, stdin: bytes = b"", *, timeout: float = CONNECT_SECONDS) -> Execution:
        """Begin a command, and hand it all of its standard input.

        :param command: as a shell takes it.
        :param timeout: seconds to begin, connecting included.
        :raises BoardLost: the board is not there, or goes away.
        :raises RigFault: it is another board, or does not let us in.
        :raises UsageError: our key cannot be read.
        """
        deadline = time.monotonic() + timeout
        transport = self.transport(deadline)
        try:
            with cut_off_after(transport, deadline) as cut:
                channel = open_channel(transport, deadline)
                channel.exec_command(command)
                if stdin:
                    channel.sendall(stdin)
                channel.shutdown_write()
        except (paramiko.SSHException, OSError, EOFError) as error:
            self.close()
            why = "no answer in time" if cut.is_set() else reason_of(error)
            raise BoardLost(f"{self.name}: {self.address}: {why}") from error
        return Execution(channel, command, self.name)

    def run(self, command: str, stdin: bytes = b"", *, timeout: float) -> Ended:
        """Execute a command to its end; when this returns or raises it is no business of ours any more.

        :param command: as a shell takes it.
        :param timeout: seconds for all of it, connecting included.
        :raises BoardLost: the board is not there, or goes away.
        :raises ConsoleTimeout: the command did not end in time.
        :raises RigFault: it is another board, or does not let us in.
        :raises UsageError: our key cannot be read.
        """
        deadline = time.monotonic() + timeout
        execution = self.execute(command, stdin, timeout=min(timeout, CONNECT_SECONDS))
        try:
            return execution.wait(deadline)
        finally:
            execution.close()

    def wait_until_back(self, timeout: float = BOOT_SECONDS) -> None:
        """Connect anew to a board that boots: until it listens it is asked again and again, ever more rarely.

        :param timeout: seconds in all.
        :raises BoardLost: it did not come back in time.
        :raises RigFault: it is another board, or does not let us in.
        :raises UsageError: our key cannot be read.
        """
        deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
        self.close()
        while True:
            try:
                self._connected(min(deadline, time.monotonic() + CONNECT_SECONDS))
            except (paramiko.SSHException, OSError, EOFError) as error:
                self.close()
                if time.monotonic() + pause >= deadline:
                    raise BoardLost(
                        f"{self.name}: {self.address} is not back after {timeout:g} s: {reason_of(error)}"
                    ) from error
            else:
                return
            threading.Event().wait(pause)  # nobody tells from afar that a board listens again
            pause = min(2 * pause, _LONGEST_PAUSE)

    def transport(self, deadline: float) -> paramiko.Transport:
        """Return the connection itself, made when there is none; it stays this object's.

        :param deadline: by :func:`time.monotonic`.
        :raises BoardLost: the board is not there, or goes away.
        :raises RigFault: it is another board, or does not let us in.
        :raises UsageError: our key cannot be read.
        """
        try:
            return self._connected(deadline)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise BoardLost(f"{self.name}: {self.address}: {reason_of(error)}") from error

    def _connected(self, deadline: float) -> paramiko.Transport:
        if self._transport is not None and self._transport.is_active():
            return self._transport
        self.close()
        self._transport = log_in(self.address, self.name, deadline)
        return self._transport


class Execution:
    """A command under way on a board."""

    def __init__(self, channel: paramiko.Channel, command: str, name: str) -> None:
        """Take a channel; it is closed when the command has ended, or by :meth:`close`."""
        self._channel = channel
        self._command = command
        self._name = name
        self._output = bytearray()
        self._errors = bytearray()
        self._ended: Ended | None = None

    def wait(self, deadline: float) -> Ended:
        """Wait until it ends.

        :param deadline: by :func:`time.monotonic`.
        :raises ConsoleTimeout: it did not end in time; one may wait on.
        :raises BoardLost: the connection broke before.
        :raises BoardFault: it says more than anybody wants to hear.
        """
        if self._ended is not None:
            return self._ended
        try:
            self._drain(deadline)
        except TimeoutError as error:
            said = bytes(self._output[-_TAIL:] + self._errors[-_TAIL:])
            raise ConsoleTimeout(
                f"{self._name}: {self._command!r} did not end in time; it said {said!r}"
            ) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.close()
            raise BoardLost(f"{self._name}: {self._command!r} was cut off: {reason_of(error)}") from error
        status = self._channel.exit_status
        self.close()
        if status < 0:
            raise BoardLost(f"{self._name}: the connection broke before {self._command!r} ended")
        errors = _SAID_BY_SERVER.sub(b"", bytes(self._errors), count=1)
        self._ended = Ended(status, bytes(self._output), errors)
        return self._ended

    def close(self) -> None:
        """End it as far as we are concerned; idempotent."""
        self._channel.close()

    def _drain(self, deadline: float) -> None:
        for receive, into in ((self._channel.recv, self._output), (self._channel.recv_stderr, self._errors)):
            while True:
                self._channel.settimeout(left(deadline))
                piece = receive(_PIECE)
                if not piece:
                    break
                into.extend(piece)
                if len(into) > MOST_OUTPUT:
                    self.close()
                    raise BoardFault(f"{self._name}: {self._command!r} says more than {MOST_OUTPUT} bytes")
        if not self._channel.status_event.wait(left(deadline)):
            raise TimeoutError


def open_ssh(board: LeasedBoard) -> SshConnection:
    """Open the SSH of a board; nothing is asked of it before the first command.

    :raises UsageError: nobody says where it is, or its password cannot be read.
    """
    address = address_of(board)
    if address.key:
        board.register_secret(address.key, "private key")
    if address.password:
        board.register_secret(address.password, "password")
    return SshConnection(address, board.id)


def reason_of(error: BaseException) -> str:
    """Say in a few words why a connection broke or was not made."""
    if isinstance(error, socket.timeout):
        return "no answer in time"
    return str(error) or type(error).__name__
