"""Connections to a board's SSH server, from the handshake to their end, by asyncssh.

asyncssh takes a while to load: import this module only where a connection is about to come.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import secrets
from typing import TYPE_CHECKING

import asyncssh

from harness.virtual.ssh.visits import KEY, NONE, PASSWORD

if TYPE_CHECKING:
    import socket

    from harness.virtual.ssh.visits import Visit

_log = logging.getLogger(__name__)

_USERAUTH = b"ssh-userauth"


class Connections:
    """The connections of one server. On the asyncio loop only."""

    def __init__(self, name: str, host_key: str) -> None:
        """Have none.

        :param name: of the board, for the log.
        :param host_key: the private key that it is known by, as OpenSSH writes it.
        """
        self._name = name
        self._open: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        # Made once: to make them anew for each connection, and for each login, costs more than the handshake.
        self._options = asyncssh.SSHServerConnectionOptions(
            loop=self._loop,
            server_host_keys=[asyncssh.import_private_key(host_key)],
            encoding=None,
            line_editor=False,
            allow_scp=False,
            agent_forwarding=False,
            gss_host=None,
            kbdint_auth=False,
        )

    async def take(self, accepted: socket.socket, visit: Visit) -> None:
        """Serve a connection from now on; it is closed when it has ended.

        :raises OSError: it is gone already.
        """
        options = copy.copy(self._options)
        options.protocol_factory = lambda: _Visitor(visit)
        options.process_factory = lambda process: self._begin(process, visit)
        await self._loop.connect_accepted_socket(
            lambda: _Connection(self._loop, options, self._open), accepted
        )

    async def cut(self) -> None:
        """Cut all of them, and cancel what is served: nobody hears of it any more."""
        connections, serving = list(self._open), list(self._serving)
        for connection in connections:
            connection.abort()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, *(each.gone.wait() for each in connections), return_exceptions=True)

    def _begin(self, process: asyncssh.SSHServerProcess[bytes], visit: Visit) -> None:
        task = self._loop.create_task(self._serve(process, visit))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes], visit: Visit) -> None:
        try:
            await visit.serve(process)
        except (asyncssh.Error, OSError) as error:
            _log.debug("%s: a connection went while it was served: %s", self._name, error)
            _abort(process)
        except Exception:  # noqa: BLE001 - one request of one board: the others are served
            _log.exception("%s: SSH failed", self._name)
            _abort(process)


class _Connection(asyncssh.SSHServerConnection):
    """A connection of a server that has no configuration file.

    :ivar gone: set when nothing of it is left, its socket neither.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHServerConnectionOptions,
        among: set[_Connection],
    ) -> None:
        super().__init__(loop, options)
        self._among = among
        self.gone = asyncio.Event()

    async def reload_config(self) -> None:
        """Read nothing: no file could say anything else because of who comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be among the connections that there are."""
        self._among.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None = None) -> None:
        """Be gone as soon as the transport has closed its socket, which it does right after this."""
        super().connection_lost(exc)
        self._among.discard(self)
        self._loop.call_soon(self.gone.set)


class _Visitor(asyncssh.SSHServer):
    """Looks after one connection."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._user = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        self._user = username
        self._bear_another_request()
        return not (username == self._visit.user and self._visit.method == NONE)

    def auth_completed(self) -> None:
        if not self._visit.logged_in(self._user):
            self._connection.abort()

    def public_key_auth_supported(self) -> bool:
        self._bear_another_request()
        return self._visit.method == KEY

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._visit.user and key == asyncssh.import_public_key(self._visit.key)

    def password_auth_supported(self) -> bool:
        return self._visit.method == PASSWORD

    def validate_password(self, username: str, password: str) -> bool:
        self._bear_another_request()
        fits = secrets.compare_digest(password.encode(), self._visit.password.encode())
        return username == self._visit.user and fits

    def _bear_another_request(self) -> None:
        """Let the client ask for the service again before its next method.

        dropbear and OpenSSH bear that, and paramiko does it; asyncssh alone would hang up.
        """
        self._connection._next_service = _USERAUTH  # there is no other way


def _abort(process: asyncssh.SSHServerProcess[bytes]) -> None:
    connection = process.get_extra_info("connection")
    if connection is not None:
        connection.abort()
