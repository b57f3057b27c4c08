"""One exec request, or one shell, on a connection to the device's SSH server."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from harness_pelion.virtual.bench_calls import PowerGone
from harness_pelion.virtual.calling import Session
from harness_pelion.virtual.scp import Request, ScpEnd, read_arguments
from harness_pelion.virtual.shell import NOT_FOUND, SCP, SYNTAX, Shell, only_command, reads_input
from harness_pelion.virtual.ssh_faults import ANSWER, COMMAND, FILE
from harness_pelion.virtual.words import ShellSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncssh

    from harness_pelion.virtual.bench_calls import BenchCalls
    from harness_pelion.virtual.calling import Machine
    from harness_pelion.virtual.shell import Ended
    from harness_pelion.virtual.ssh_faults import Connection, SshFaults
    from harness_pelion.virtual.words import Pipeline

_PROMPT = b"root@%s:~# "
_LARGEST_INPUT = 64 * 1024 * 1024
_PIECE = 64 * 1024
_LONGEST_LINE = 64 * 1024
_END_OF_INPUT = 0x04


class ProcessChannel:
    """A process as the channel of a transfer."""

    def __init__(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Carry on the standard streams of a process."""
        self._process = process

    async def read(self, most: int) -> bytes:
        """Return what has come; nothing: the other end has closed."""
        return await _read(self._process, most)

    def write(self, data: bytes) -> None:
        """Send."""
        self._process.stdout.write(data)


class SshSession:
    """Serves one request."""

    def __init__(
        self,
        process: asyncssh.SSHServerProcess[bytes],
        machine: Machine,
        calls: BenchCalls,
        faults: SshFaults,
        connection: Connection,
        go_down: Callable[[str], None],
    ) -> None:
        """Serve nothing yet.

        :param machine: what programs see of the device; touched on the bench's loop thread only.
        :param connection: where its commands are noted.
        :param go_down: lets the device boot or go dark; called on the bench's loop thread.
        """
        self._process = process
        self._machine = machine
        self._calls = calls
        self._faults = faults
        self._connection = connection
        self._go_down = go_down
        self._shell = Shell(machine, Session())

    async def serve(self) -> None:
        """Serve it, to its end or to that of the connection."""
        try:
            if self._process.subsystem is not None:
                self._end(NOT_FOUND, f"sh: {self._process.subsystem}: not found")
            elif self._process.command is None:
                await self._interact()
            else:
                await self._execute(self._process.command)
        except PowerGone:
            self._cut()
        except ConnectionError:  # of asyncssh's, or ordered
            self._cut()

    async def _execute(self, line: str) -> None:
        self._faults.asked(self._connection, line)
        if self._faults.is_cut(COMMAND):
            raise ConnectionAbortedError
        try:
            pipelines = parse(line)
        except ShellSyntaxError as error:
            self._end(SYNTAX, f"sh: {error}")
            return
        stdin = await self._read_all() if reads_input(pipelines) else b""
        done = await self._calls.call(partial(self._run, line, pipelines, stdin))
        if isinstance(done, Request):
            await self._transfer(done)
        elif isinstance(done, ValueError):
            self._end(1, str(done))
        else:
            await self._tell(done)

    def _run(self, line: str, pipelines: list[Pipeline], stdin: bytes) -> Ended | Request | ValueError:
        """Run a command line, unless it is a transfer; called on the bench's loop thread.

        Every call to that thread waits for it, so this is one call.

        :return: how it ended; or what is to be transferred, or why it cannot be read.
        """
        command = only_command(pipelines)
        words = [] if command is None else self._shell.words(command)
        if words[:1] not in ([SCP], [f"/usr/bin/{SCP}"]):
            return self._shell.run(line, stdin)
        try:
            return read_arguments(words[1:])
        except ValueError as error:
            return error

    async def _tell(self, ended: Ended) -> None:
        if self._faults.is_cut(ANSWER):
            raise ConnectionAbortedError
        self._write(ended)
        self._process.exit(ended.status)
        if ended.then:
            await self._calls.call(partial(self._go_down, ended.then))

    async def _transfer(self, request: Request) -> None:
        end = ScpEnd(
            ProcessChannel(self._process),
            self._machine.filesystem,
            self._calls,
            self._shell.session.directory,
            lambda: self._faults.is_cut(FILE),
        )
        status = await end.run(request)
        if self._faults.is_cut(ANSWER):
            raise ConnectionAbortedError
        self._process.exit(status)

    async def _interact(self) -> None:
        """Be a shell for a person: a prompt when there is a terminal, and lines that are run as they come."""
        terminal = self._process.term_type is not None
        prompt = _PROMPT % self._machine.host_name.encode() if terminal else b""
        then = ""
        self._process.stdout.write(prompt)
        while (line := await self._read_line(echo=terminal)) is not None:
            text = line.decode("utf-8", "replace")
            self._faults.asked(self._connection, text)
            ended = await self._calls.call(partial(self._shell.run, text))
            self._write(ended, lines_end=b"\r\n" if terminal else b"\n")
            then = ended.then
            if then or ended.left:
                break
            self._process.stdout.write(prompt)
        self._process.exit(self._shell.session.status)
        if then:
            await self._calls.call(partial(self._go_down, then))

    async def _read_line(self, *, echo: bool) -> bytes | None:
        """Read a line; ``None``: there is none any more."""
        line = bytearray()
        while len(line) < _LONGEST_LINE:
            byte = await _read(self._process, 1)
            if not byte or byte[0] == _END_OF_INPUT:
                return bytes(line) or None
            if byte in b"\r\n":
                self._process.stdout.write(b"\r\n" if echo else b"")
                return bytes(line)
            if byte in b"\x7f\x08":
                del line[-1:]
            else:
                line += byte
            self._process.stdout.write(byte if echo else b"")
        return bytes(line)

    async def _read_all(self) -> bytes:
        content = bytearray()
        while len(content) < _LARGEST_INPUT and (piece := await _read(self._process, _PIECE)):
            content += piece
        return bytes(content)

    def _write(self, ended: Ended, lines_end: bytes = b"\n") -> None:
        self._process.stdout.write(ended.output.replace(b"\n", lines_end))
        self._process.stderr.write(ended.errors.replace(b"\n", lines_end))

    def _end(self, status: int, complaint: str) -> None:
        self._process.stderr.write(f"{complaint}\n".encode())
        self._process.exit(status)

    def _cut(self) -> None:
        connection = self._process.get_extra_info("connection")
        if connection is not None:
            connection.abort()


async def _read(process: asyncssh.SSHServerProcess[bytes], most: int) -> bytes:
    """Return what has come, at most so many bytes; nothing: the other end has closed.

    A window that gets another size, a signal and a break change nothing: no command runs while this waits.
    """
    from asyncssh import BreakReceived, SignalReceived, TerminalSizeChanged

    while True:
        with suppress(BreakReceived, SignalReceived, TerminalSizeChanged):
            return await process.stdin.read(most)
