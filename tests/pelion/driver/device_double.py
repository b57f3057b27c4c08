"""A device behind SSH that is no virtual board: asyncssh in front of this host's own shell, scp, mv and rm.

Paths of a device (``/scratch``, ``/opt/arm``, ``/var/log``) are led into a directory of the test. The utility
is a shell script of the test. What breaks connections counts them as the steps of pelion fact sheet, section
1.6, do: each is one connection.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncssh

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

DEADLINE = 20.0
_LED = ("/scratch", "/opt/arm", "/var/log", "/proc/sys/kernel/random/boot_id")

GOOD_UTIL = """\
case "$1" in
--help) echo Usage; exit 0;;
--provision)
  echo "Provisioning device."
  mkdir -p "$HELD"; cp {folder}/*.bin "$HELD"/ || exit 1
  echo "Provisioning process completed without error."; exit 0;;
--get-pelion-status)
  echo "Querying device status... "
  echo "Device is configured correctly. You can connect to Pelion Cloud!"; exit 0;;
esac
exit 2
"""


class DeviceDouble:
    """The device.

    :ivar root: where its files are.
    :ivar connections: the commands of each connection, oldest first.
    :ivar cut: called with the number of a connection (from 1) and a command; when it says so, the connection
        is cut before that command.
    :ivar cut_after: likewise, when the command has ended and before its status is told.
    """

    def __init__(self, root: Path) -> None:
        """Listen on the loopback interface, without any authentication."""
        self.root = root
        self.connections: list[list[str]] = []
        self.cut: Callable[[int, str], bool] = lambda _number, _command: False
        self.cut_after: Callable[[int, str], bool] = lambda _number, _command: False
        self.refuses = False
        self._open: list[asyncssh.SSHServerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = " ".join(self._key.export_public_key().decode().split()[:2])
        self._acceptor: Any = self._do(self._listen())
        self.port: int = self._acceptor.get_port()
        for folder in ("scratch", "opt/arm", "var/log", "programs", "proc/sys/kernel/random"):
            (root / folder).mkdir(parents=True)
        self.write_util(GOOD_UTIL)
        self.boots = 0
        self.boot()
        self.write_program("systemctl", f'echo "$@" >> {shlex.quote(str(root / "systemctl.log"))}')
        self.write_program("reboot", "exit 0")

    # -- what it is ---------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.root / "scratch/provisioning-certs"

    @property
    def held(self) -> dict[str, bytes]:
        """What the utility has taken."""
        place = self.root / "held"
        return {each.name: each.read_bytes() for each in place.iterdir()} if place.exists() else {}

    @property
    def log(self) -> Path:
        """The log of its client."""
        return self.root / "var/log/mbl-cloud-client.log"

    def write_util(self, script: str) -> None:
        """Let the utility be another script; ``{folder}`` in it is the temporary folder."""
        util = self.root / "opt/arm/pelion-provisioning-util"
        held = shlex.quote(str(self.root / "held"))
        util.write_text(f"#!/bin/sh\nHELD={held}\n" + script.replace("{folder}", str(self.folder)))
        util.chmod(0o755)

    def write_program(self, name: str, script: str) -> None:
        """Let the device have a program."""
        file = self.root / "programs" / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def boot(self) -> None:
        """Have another boot id."""
        self.boots += 1
        (self.root / "proc/sys/kernel/random/boot_id").write_text(f"boot-{self.boots}\n")

    def close(self) -> None:
        """End."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    # -- SSH ----------------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    async def _listen(self) -> Any:
        double = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                if double.refuses:
                    conn.abort()
                    return
                double._open.append(conn)
                double.connections.append([])
                conn.set_extra_info(number=len(double.connections))

            def begin_auth(self, _username: str) -> bool:
                return False

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._key],
            server_factory=Server,
            process_factory=self._serve,
            encoding=None,
        )

    async def _end(self) -> None:
        self._acceptor.close()
        for connection in self._open:
            connection.abort()
            await connection.wait_closed()
        await self._acceptor.wait_closed()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, process: Any) -> None:
        command = process.command or ""
        number = process.get_extra_info("number")
        self.connections[number - 1].append(command)
        if self.cut(number, command):
            process.get_extra_info("connection").abort()
            return
        local = command
        for path in _LED:
            local = local.replace(path, f"{self.root}{path}")
        environment = {**os.environ, "PATH": f"{self.root}/programs:{os.environ['PATH']}"}
        child = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            local,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
        try:
            await asyncio.gather(_copy(child.stdout, process.stdout), _copy(child.stderr, process.stderr))
            status = await child.wait()
        finally:
            if child.returncode is None:  # the double ends before the command did
                child.kill()
                await child.wait()
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        if self.cut_after(number, command):
            process.get_extra_info("connection").abort()
            return
        process.exit(status)


async def _feed(source: Any, target: Any) -> None:
    """Hand a command what it gets, and then the end of it."""
    with suppress(OSError, asyncssh.Error):
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    target.close()


async def _copy(source: Any, target: Any) -> None:
    """Tell what a command says; a connection that is gone hears nothing."""
    while piece := await source.read(65536):
        with suppress(OSError, asyncssh.Error):
            target.write(piece)
