"""A host with an SSH server of another implementation than our client's."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import paramiko
import pytest

from harness.ssh import SshAddress, SshConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

DEADLINE = 10.0
SSHD = "/usr/sbin/sshd"

#: What a command does: exit status, standard output and standard error.
Answer = tuple[int, bytes, bytes]


class SshHost:
    """Executes ``echo``, ``fail``, ``hang``, ``cut``, ``flood``, ``complain`` and ``count``.

    And ``scp`` as it is told to.

    :ivar commands: what it was asked to execute.
    :ivar logins: how often somebody logged in.
    :ivar methods: by which methods somebody tried to, in order.
    :ivar scp: the far end of SCP.
    """

    def __init__(
        self,
        host_key: str = "ssh-ed25519",
        *,
        open_to_all: bool = False,
        password: str = "",
        interactive: bool = False,
        keys: bool = True,
        own_scp: bool = False,
        port: int = 0,
        keys_of: SshHost | None = None,
    ) -> None:
        """Listen.

        :param open_to_all: the method ``none`` is enough.
        :param password: lets somebody in too.
        :param interactive: the password is asked for by the method ``keyboard-interactive`` alone.
        :param keys: our key lets somebody in.
        :param own_scp: SCP is asyncssh's own.
        :param port: where to listen; 0: the system chooses.
        :param keys_of: another host, whose keys it has: it is the same one after a boot.
        """
        self.user_key: asyncssh.SSHKey = (
            keys_of.user_key if keys_of else asyncssh.generate_private_key("ssh-ed25519")
        )
        self.commands: list[str] = []
        self.logins = 0
        self.methods: list[str] = []
        self.answer: Callable[[str, bytes], Answer] | None = None
        self.scp: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]] | None = None
        self._open_to_all, self._keys, self._own_scp = open_to_all, keys, own_scp
        self._password, self._interactive = password, interactive
        self._host_key: asyncssh.SSHKey = (
            keys_of._host_key if keys_of else asyncssh.generate_private_key(host_key)
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._connections: list[asyncssh.SSHServerConnection] = []
        self._acceptor: asyncssh.SSHAcceptor = self.do(self._listen(port))
        self.port: int = self._acceptor.get_port()

    def do(self, doing: Any) -> Any:
        """Do something on the server's loop."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(DEADLINE)

    @property
    def public(self) -> str:
        """Its public key, as ``known_hosts`` has it."""
        return self._host_key.export_public_key().decode().strip()

    def address(self, **changes: Any) -> SshAddress:
        """Say where it is."""
        facts = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "tester",
            "host_key": self.public,
            "key": self.user_key.export_private_key().decode(),
        }
        return SshAddress(**{**facts, **changes})

    def cut(self) -> None:
        """Cut every connection."""

        async def cut() -> None:
            for connection in self._connections:
                connection.abort()

        self.do(cut())

    def fall_silent(self) -> None:
        """Hear nothing any more on the connections that there are, which stay."""

        async def fall_silent() -> None:
            for connection in self._connections:
                if connection._transport is not None:
                    connection._transport.pause_reading()

        self.do(fall_silent())

    def close(self) -> None:
        """End."""

        async def end() -> None:
            self._acceptor.close()
            for connection in self._connections:
                connection.abort()
            await self._acceptor.wait_closed()

        self.do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self, port: int) -> asyncssh.SSHAcceptor:
        outer = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                outer._connections.append(conn)

            def begin_auth(self, username: str) -> bool:
                return not outer._open_to_all

            def public_key_auth_supported(self) -> bool:
                return outer._keys

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                outer.methods.append("key")
                return key.public_data == outer.user_key.public_data

            def password_auth_supported(self) -> bool:
                return bool(outer._password) and not outer._interactive

            def validate_password(self, username: str, password: str) -> bool:
                outer.methods.append("password")
                return password == outer._password

            def kbdint_auth_supported(self) -> bool:
                return outer._interactive

            def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
                return "", "", "", [("Password: ", False)]

            def validate_kbdint_response(self, username: str, responses: Any) -> bool:
                outer.methods.append("interactive")
                return list(responses) == [outer._password]

            def auth_completed(self) -> None:
                outer.logins += 1

        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=Server,
            process_factory=self._execute,
            server_host_keys=[self._host_key],
            allow_scp=self._own_scp,
            sftp_factory=self._own_scp,
            encoding=None,
            gss_host=None,
        )

    async def _execute(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        self.commands.append(command)
        word = command.partition(" ")[0]
        if word == "scp" and self.scp is not None:
            # Who gives up sooner than the far end falls silent costs no more than his channel.
            with suppress(asyncio.IncompleteReadError, BrokenPipeError):
                await self.scp(process)
        elif word == "hang":
            process.stdout.write(b"so far")
            await process.stdin.read()
            await asyncio.get_running_loop().create_future()
        elif word == "cut":
            process.get_extra_info("connection").abort()
        else:
            content = await process.stdin.read()
            status, output, errors = (self.answer or self._answer)(command, content)
            process.stdout.write(output)
            process.stderr.write(errors)
            process.exit(status)

    @staticmethod
    def _answer(command: str, content: bytes) -> Answer:
        word, _, rest = command.partition(" ")
        return {
            "echo": (0, f"{rest}\n".encode(), b""),
            "fail": (3, b"out", b"err"),
            "homeless": (0, b"", b"Could not chdir to home directory /nowhere: No such file\nown\n"),
            "flood": (0, b"x" * 5_000_000, b""),
            "complain": (0, b"", b"x" * (int(rest) if rest.isdigit() else 0)),
            "count": (0, str(len(content)).encode(), b""),
        }[word]


class OpenSsh:
    """A real OpenSSH server: one process for each connection, as whoever runs the tests.

    :ivar connections: how many there were.
    """

    def __init__(self, directory: Path, *settings: str, path: str = os.defpath) -> None:
        """Make its keys, and listen.

        :param settings: further lines of its configuration.
        :param path: where its shell finds programs.
        """
        self.directory = directory
        self.connections = 0
        for name in ("host", "user"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(directory / name)]
            subprocess.run(made, check=True)
        config = [
            f"HostKey {directory}/host",
            f"AuthorizedKeysFile {directory}/user.pub",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "PidFile none",
            "PermitRootLogin yes",
            f"SetEnv HOME={directory} PATH={path}",  # whoever runs the tests may have told his shell much
            *settings,
        ]
        (directory / "config").write_text("".join(f"{line}\n" for line in config))
        if os.geteuid() == 0:  # as its own start script does
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._servers: list[subprocess.Popen[bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def address(self, **changes: Any) -> SshAddress:
        """Say where it is."""
        facts = {
            "host": "127.0.0.1",
            "port": self._listener.getsockname()[1],
            "user": getpass.getuser(),
            "host_key": (self.directory / "host.pub").read_text().strip(),
            "key_file": str(self.directory / "user"),
        }
        return SshAddress(**{**facts, **changes})

    def cut(self) -> None:
        """Kill every server at once."""
        for server in self._servers:
            server.kill()
            server.wait(DEADLINE)

    def log(self) -> str:
        """Return what it said."""
        return (self.directory / "log").read_text()

    def close(self) -> None:
        """End."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                link, _address = self._listener.accept()
            except OSError:
                return  # it was closed
            self.connections += 1
            with link, (self.directory / "log").open("ab") as log:
                end, command = link.fileno(), [SSHD, "-i", "-e", "-f", str(self.directory / "config")]
                self._servers.append(subprocess.Popen(command, stdin=end, stdout=end, stderr=log))


@pytest.fixture(scope="module")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """An OpenSSH server, for all tests of a file."""
    server = OpenSsh(tmp_path_factory.mktemp("openssh"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def host() -> Iterator[SshHost]:
    """A host, for all tests of a file."""
    host = SshHost()
    yield host
    host.close()


def make_buffer_small(connection: SshConnection) -> None:
    """Let a connection's writer notice soon that the far end takes nothing any more."""
    line = connection.transport(time.monotonic() + DEADLINE).sock
    assert isinstance(line, socket.socket)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


@pytest.fixture
def host_silent_in_mid_request(host: SshHost, monkeypatch: pytest.MonkeyPatch) -> SshHost:
    """A host that falls silent when a channel was opened and nothing was asked of it yet."""
    open_session = paramiko.Transport.open_session

    def open_the_last(transport: paramiko.Transport, **wanted: Any) -> paramiko.Channel:
        channel = open_session(transport, **wanted)
        host.fall_silent()
        return channel

    monkeypatch.setattr(paramiko.Transport, "open_session", open_the_last)
    return host


@pytest.fixture
def connection(host: SshHost) -> Iterator[SshConnection]:
    """A connection to it."""
    connection = SshConnection(host.address(), "gate")
    yield connection
    connection.close()


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]
