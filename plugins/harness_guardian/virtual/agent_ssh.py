"""SSH of the board: the agent's words as exec requests, on a loopback port, for one user with one key.

The port stays the same from boot to boot; without power nobody listens and every connection is cut.
"""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.virtual.ssh import KEY, KeptPort, KeyPair, SshServer, Visit
from harness_guardian.virtual.errors import AgentCode
from harness_guardian.virtual.files import printable
from harness_guardian.virtual.settings import LARGEST_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncssh

    from harness.virtual.contract import BoardHost
    from harness_guardian.virtual.replies import Reply

USER = "guardian"
PROGRAM = "guardian-agent"

_HOST = "127.0.0.1"
_NOT_FOUND = 127


class AgentSsh:
    """Listens while the board has power."""

    def __init__(
        self,
        host: BoardHost,
        execute: Callable[[Sequence[str], bytes, Callable[[Reply], None]], None],
        name: str,
    ) -> None:
        """Make keys and take a port; nobody listens yet.

        :param execute: executes words with the content that came with it, and answers once unless the power
            goes; safe from any thread.
        :param name: of the board, for the log.
        """
        self._execute = execute
        self._host_key, self._user_key = KeyPair.generate(), KeyPair.generate()
        self._port = KeptPort(_HOST)
        self._server = SshServer(host, name, self._port, self._host_key.private, self._receive)

    # -- on the bench's loop thread -----------------------------------------------------------------------

    def open(self) -> None:
        """Listen; whoever connects from now on is served as soon as the server is up."""
        self._server.listen()

    def shut(self) -> None:
        """Listen no more, and cut every connection."""
        self._server.refuse()
        self._server.cut()

    def access(self) -> dict[str, Any]:
        """Return where the server is, whom it lets in, and by which key it is known."""
        return {
            "host": self._port.address,
            "port": self._port.number,
            "user": USER,
            "host_key": self._host_key.public,
            "private_key_pem": self._user_key.private,
        }

    def describe(self) -> dict[str, str]:
        """Return what the inventory may know: no private key."""
        return {
            "ssh_host": self._port.address,
            "ssh_port": str(self._port.number),
            "ssh_user": USER,
            "ssh_host_key": self._host_key.public,
        }

    def close(self) -> None:
        """End the server."""
        self._server.close()

    # -- on the asyncio loop of the bench's boards --------------------------------------------------------

    def _receive(self) -> Visit:
        """Let in the one user."""
        return Visit(user=USER, method=KEY, key=self._user_key.public, serve=self._handle)

    async def _handle(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Serve one exec request."""
        try:
            program, *words = shlex.split(process.command or "")
        except ValueError:  # nothing, or a quote that is open
            program, words = "", []
        if program != PROGRAM:
            process.stderr.write(f"{printable(program)}: not found; expected {PROGRAM} WORDS\n".encode())
            process.exit(_NOT_FOUND)
            return
        content = await _read(process) if words[:1] == ["put"] else b""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()

        def answer(reply: Reply) -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits
                loop.call_soon_threadsafe(_settle, future, reply)

        self._execute(words, content, answer)
        reply = await future
        told = "".join(f"{each}\n" for each in reply.lines)
        if reply.code is AgentCode.OK:
            told += f"{reply.text}\n" if reply.text else ""
        process.stdout.write(told.encode() + reply.output)
        if reply.code is not AgentCode.OK:
            process.stderr.write(f"{reply.final_line}\n".encode())
        process.exit(int(reply.code))


async def _read(process: asyncssh.SSHServerProcess[bytes]) -> bytes:
    """Read a file from the standard input, and a byte more than there is room for."""
    content = b""
    while len(content) <= LARGEST_FILE:
        piece = await process.stdin.read(LARGEST_FILE + 1 - len(content))
        if not piece:
            break
        content += piece
    return content


def _settle(future: asyncio.Future[Reply], reply: Reply) -> None:
    if not future.done():
        future.set_result(reply)
