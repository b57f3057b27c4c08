"""SSH of the device: root's shell and SCP, on a port that stays the same from boot to boot.

Without power nobody listens, and every connection is cut. The real device runs dropbear on port 22 (pelion
fact sheet, section 1.3); a virtual one has any port of the loopback interface, unless it is built to have
another address or port.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from harness.virtual.ssh import KeptPort, KeyPair, SshServer, Turned, Visit
from harness_pelion.virtual.bench_calls import BenchCalls
from harness_pelion.virtual.ssh_faults import CONNECTION, LOGIN, REFUSING, SILENT, SshFaults
from harness_pelion.virtual.ssh_session import SshSession

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncssh

    from harness.virtual.contract import BoardHost
    from harness_pelion.virtual.calling import Machine
    from harness_pelion.virtual.settings import MblSettings

USER = "root"


class DeviceSsh:
    """Listens while the device has power.

    :ivar faults: what goes wrong on order, and the record of connections.
    """

    def __init__(
        self,
        host: BoardHost,
        machine: Machine,
        settings: MblSettings,
        name: str,
        go_down: Callable[[str], None],
    ) -> None:
        """Make keys and take a port; nobody listens yet.

        :param machine: what programs see of the device.
        :param name: of the board, for the log.
        :param go_down: lets the device boot or go dark; called on the bench's loop thread.
        """
        self.faults = SshFaults()
        self._host = host
        self._machine = machine
        self._settings = settings
        self._go_down = go_down
        self._host_key, self._user_key = KeyPair.generate(), KeyPair.generate()
        self._password = secrets.token_urlsafe(12)
        self._calls = BenchCalls(host.call_soon)
        self._powered = False
        self._port = KeptPort(settings.ssh_address, settings.ssh_port)
        self._server = SshServer(host, name, self._port, self._host_key.private, self._receive)

    # -- on the bench's loop thread -----------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port, the same for the life of the board."""
        return self._port.number

    def open(self) -> None:
        """Listen; whoever connects from now on is served as soon as the server is up."""
        self._powered = True
        self._calls = BenchCalls(self._host.call_soon)
        self._apply()

    def shut(self) -> None:
        """Listen no more, and cut every connection."""
        self._lose_power()
        self._server.cut()

    def set_mode(self, mode: str) -> None:
        """Let the port behave so from now on; see :data:`harness_pelion.virtual.ssh_faults.MODES`.

        :raises ValueError: there is no such mode.
        """
        self.faults.set_mode(mode)
        self._apply()

    def clear_faults(self) -> None:
        """Forget every order."""
        self.faults.clear()
        self._apply()

    def access(self) -> dict[str, Any]:
        """Return where the server is, whom it lets in and how, and by which key it is known."""
        return {
            "host": self._port.address,
            "port": self.port,
            "user": USER,
            "host_key": self._host_key.public,
            "private_key_pem": self._user_key.private,
            "password": self._password,
            "auth": self._settings.ssh_auth,
        }

    def describe(self) -> dict[str, str]:
        """Return what the inventory may know: no secret."""
        return {
            "ssh_host": self._port.address,
            "ssh_port": str(self.port),
            "ssh_user": USER,
            "ssh_host_key": self._host_key.public,
        }

    def close(self) -> None:
        """End the server."""
        self._lose_power()
        self._server.close()

    def _lose_power(self) -> None:
        self._powered = False
        self._calls.abandon()
        self._apply()

    def _apply(self) -> None:
        """Listen or not, as power and orders say."""
        if self._powered and self.faults.mode != REFUSING:
            self._server.listen()
        else:
            self._server.refuse()
        if self.faults.mode != SILENT:
            self._server.drop_silent()

    # -- on the asyncio loop of the bench's boards --------------------------------------------------------

    def _receive(self) -> Visit | Turned:
        """Decide on a connection: whom it lets in is asked when it comes."""
        connection = self.faults.came()
        if self.faults.is_cut(CONNECTION):
            return Turned.CUT
        if self.faults.mode == SILENT:
            return Turned.SILENT
        calls = self._calls

        async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
            session = SshSession(process, self._machine, calls, self.faults, connection, self._go_down)
            await session.serve()

        def logged_in(user: str) -> bool:
            self.faults.logged_in(connection, user)
            return not self.faults.is_cut(LOGIN)

        return Visit(
            user=USER,
            method=self._settings.ssh_auth,
            key=self._user_key.public,
            password=self._password,
            serve=serve,
            logged_in=logged_in,
        )
