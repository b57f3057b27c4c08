"""Files to a board and from it, by the old SCP protocol: ``scp`` on the board is all that it needs.

One transfer is one command on the connection that is there, or on a new one. What the board says of a failure
(``No space left on device``, ``Read-only file system``) is in the message.
"""

from __future__ import annotations

import shlex
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import paramiko
import scp

from harness.errors import BoardFault, BoardLost, ConsoleTimeout, UsageError
from harness.ssh.connection import cut_off_after, open_channel, reason_of
from harness.ssh.login import left

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.ssh.connection import SshConnection

TRANSFER_SECONDS = 60.0
#: Modes on the board of what is made of bytes.
PRIVATE, PRIVATE_DIRECTORY = "0600", "0700"

_LONGEST_SAYING = 500
_NO_NAMES = frozenset({b"", b".", b".."})


def put(
    connection: SshConnection,
    sources: Sequence[Path],
    target: str,
    *,
    recursive: bool = False,
    timeout: float = TRANSFER_SECONDS,
) -> None:
    """Copy files to a board, with their modes.

    :param sources: files, or directories too if ``recursive``.
    :param target: path on the board; a directory if there are several.
    :param timeout: seconds in all.
    :raises UsageError: a source cannot be read.
    :raises BoardLost: the board is not there, or goes away.
    :raises ConsoleTimeout: it does not end in time.
    :raises BoardFault: the board refuses; the message says what it said.
    """
    for source in sources:
        if not source.exists() or (source.is_dir() and not recursive):
            what = "is a directory" if source.is_dir() else "there is no such file"
            raise UsageError(what, file=source)
    with _transfer(connection, target, timeout) as client:
        client.put([str(source) for source in sources], target, recursive=recursive)


def put_bytes(
    connection: SshConnection,
    files: Mapping[str, bytes],
    directory: str,
    *,
    timeout: float = TRANSFER_SECONDS,
) -> None:
    """Write files on a board, all in one transfer and for the board's user alone: they may be private keys.

    :param files: contents by names: ``FILE`` or ``DIRECTORY/FILE``; such a directory is made.
    :param directory: where on the board; it is there already.
    :param timeout: seconds in all.
    :raises ValueError: a name is of another form.
    :raises BoardLost: the board is not there, or goes away.
    :raises ConsoleTimeout: it does not end in time.
    :raises BoardFault: the board refuses; the message says what it said.
    """
    tree: dict[str, dict[str, bytes]] = {}
    for name, content in files.items():
        inner, slash, file = name.rpartition("/")
        for part in (inner, file) if slash else (file,):
            _check_name(part.encode())
        tree.setdefault(inner, {})[file] = content
    with _transfer(connection, directory, timeout) as client:
        client.put_tree(tree, directory)


def get(
    connection: SshConnection,
    source: str,
    target: Path,
    *,
    recursive: bool = False,
    timeout: float = TRANSFER_SECONDS,
) -> None:
    """Copy a file from a board.

    :param source: path on the board, taken literally.
    :param target: where to; in it, if it is a directory.
    :param recursive: the source may be a directory.
    :param timeout: seconds in all.
    :raises UsageError: the target cannot be written.
    :raises BoardLost: the board is not there, or goes away.
    :raises ConsoleTimeout: it does not end in time.
    :raises BoardFault: the board refuses, or names files that are not below the source.
    """
    with _transfer(connection, source, timeout, target) as client:
        client.get(source, str(target), recursive=recursive)
        client.check_received()


class _Client(scp.SCPClient):  # type: ignore[misc]  # the library has no types
    """The library's client with a deadline on everything, which takes files only to where it was told."""

    channel: Any

    def __init__(self, transport: paramiko.Transport, deadline: float) -> None:
        self.deadline = deadline
        self.received = 0
        super().__init__(transport, socket_timeout=left(deadline), progress=self._on_progress)

    def put_tree(self, tree: Mapping[str, Mapping[str, bytes]], target: str) -> None:
        """Send contents by directories (the empty name is the target itself) and names."""
        self._open()
        flag = "-r -t" if any(tree) else "-t"
        self.channel.exec_command(f"scp {flag} {shlex.quote(target)}")
        self._recv_confirm()
        for directory, files in tree.items():
            if directory:
                self._send_line(f"D{PRIVATE_DIRECTORY} 0 {directory}")
            for name, content in files.items():
                self._send_line(f"C{PRIVATE} {len(content)} {name}")
                self._send_content(content)
            if directory:
                self._send_line("E")

    def _send_line(self, line: str) -> None:
        self._on_progress(b"", 0, 0)
        self.channel.sendall(f"{line}\n".encode())
        self._recv_confirm()

    def _send_content(self, content: bytes) -> None:
        """Send a file and the byte that ends it; the library spends a packet on each of them."""
        ended = content + b"\0"
        for start in range(0, len(ended), self.buff_size):
            self._on_progress(b"", 0, 0)
            self.channel.sendall(ended[start : start + self.buff_size])
        self._recv_confirm()

    def check_received(self) -> None:
        """See whether anything came: the library takes an end for a good end, whatever was said before.

        :raises scp.SCPException: nothing did.
        """
        if not self.received:
            raise scp.SCPException("scp sent nothing")

    def finish(self) -> None:
        """Wait for the end of the command on the board.

        :raises scp.SCPException: it failed; with what it said.
        :raises TimeoutError: it does not end.
        """
        channel, self.channel = self.channel, None
        channel.settimeout(left(self.deadline))
        channel.shutdown_write()
        if not channel.status_event.wait(left(self.deadline)):
            raise TimeoutError
        status = channel.exit_status
        said = _heard(channel)
        channel.close()
        if status != 0:
            raise scp.SCPException(
                said or (f"scp ended with status {status}" if status > 0 else "scp did not come to its end")
            )

    def close(self) -> None:
        """Leave the channel to :meth:`finish`: the library's own way waits for ever."""

    def _open(self) -> paramiko.Channel:
        channel = self.channel = open_channel(self.transport, self.deadline)
        return channel

    def _on_progress(self, _name: bytes, _size: int, _done: int) -> None:
        if time.monotonic() >= self.deadline:
            raise TimeoutError
        self.channel.settimeout(left(self.deadline))

    def _recv_file(self, said: bytes) -> None:
        self._check(said)
        super()._recv_file(said)

    def _recv_pushd(self, said: bytes) -> None:
        self._check(said)
        super()._recv_pushd(said)

    def _check(self, said: bytes) -> None:
        """Look at the name in ``MODE SIZE NAME``: a board must not choose a directory of ours."""
        try:
            _check_name(said.split(b" ", 2)[2])
        except (IndexError, ValueError) as error:
            raise scp.SCPException(f"it names a file {said[:_LONGEST_SAYING]!r}") from error
        self.received += 1


@contextmanager
def _transfer(
    connection: SshConnection, path: str, timeout: float, local: Path | None = None
) -> Iterator[Any]:
    """Give a client for one transfer, wait for its end, and translate what goes wrong.

    :param path: on the board, for messages.
    :param local: where something is written here.
    """
    name, deadline = connection.name, time.monotonic() + timeout
    transport = connection.transport(deadline)
    client = _Client(transport, deadline)
    with cut_off_after(transport, deadline) as cut:
        try:
            yield client
            client.finish()
        except (scp.SCPException, paramiko.SSHException, EOFError, OSError, AssertionError) as error:
            # Its reader may not have noticed yet what its writer has.
            broke = isinstance(error, EOFError | ConnectionError) or not transport.is_active()
            if broke:
                connection.close()
            if broke and not cut.is_set():
                raise BoardLost(f"{name}: the connection broke while {path} was copied") from error
            in_time = not cut.is_set() and not isinstance(error, TimeoutError)
            if in_time and isinstance(error, OSError) and error.errno is not None:
                raise UsageError(f"cannot be used: {error.strerror}", file=error.filename or local) from error
            if not in_time or time.monotonic() >= deadline:
                raise ConsoleTimeout(f"{name}: {path} was not copied within {timeout:g} s") from error
            said = " ".join(str(each) for each in error.args) or reason_of(error)
            more = "" if client.channel is None else _heard(client.channel)
            raise BoardFault(f"{name}: {path} was not copied: {_together(said, more)}") from error
        finally:
            if client.channel is not None:
                with suppress(EOFError, OSError, paramiko.SSHException):  # it was cut: nobody is to be told
                    client.channel.close()


def _heard(channel: paramiko.Channel) -> str:
    """Return what the board wrote to standard error so far."""
    said = b""
    while channel.recv_stderr_ready() and len(said) < _LONGEST_SAYING:
        said += channel.recv_stderr(_LONGEST_SAYING)
    return said.decode(errors="replace")


def _together(*sayings: str) -> str:
    lines = dict.fromkeys(line.strip() for saying in sayings for line in saying.splitlines())
    return "; ".join(line for line in lines if line)[:_LONGEST_SAYING]


def _check_name(name: bytes) -> None:
    """Refuse what is no name of a file in a directory.

    :raises ValueError: it is none.
    """
    if name.strip() in _NO_NAMES or b"/" in name or b"\n" in name or b"\0" in name:
        raise ValueError(f"{name!r} is no name of a file in a directory")
