"""The device's shell: runs a command line on the device, and says how it ended.

Messages are those of busybox's ``sh``. Everything happens at once, on the bench's loop thread: a command that
has begun is at its end when :meth:`Shell.run` returns, unless the power went in between.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_pelion.virtual import (
    conditions,
    file_programs,
    power,
    reading_programs,
    system_programs,
)
from harness_pelion.virtual.calling import HOME, PATH, Call, Machine, ProgramFailed, Session
from harness_pelion.virtual.expansion import expand, expand_one
from harness_pelion.virtual.filesystem import PROGRAM_MODE, UTIL, Directory, FsError, absolute
from harness_pelion.virtual.words import Join, Pipeline, ShellSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_pelion.virtual.filesystem import Filesystem
    from harness_pelion.virtual.words import Command

SCP = "scp"
NOT_FOUND, NOT_A_PROGRAM, SYNTAX = 127, 126, 2

_NULL = "/dev/null"
_MOST_STATUS = 0xFF
_READERS = frozenset({"cat", "sha256sum"})

_PROGRAMS: dict[str, Callable[[Call], None]] = {
    **file_programs.PROGRAMS,
    **reading_programs.PROGRAMS,
    **system_programs.PROGRAMS,
    **conditions.PROGRAMS,
}


class _Exit(Exception):
    """The shell ends."""


class _Sink:
    """Where a stream of a command goes: to whoever reads it, or into a file."""

    def __init__(self, path: str | None = None, *, append: bool = False) -> None:
        self.content = bytearray()
        self.path = path
        self.append = append

    def write(self, data: bytes) -> None:
        self.content += data


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command line ended.

    :ivar then: what the device does now: ``reboot``, ``poweroff``, or nothing.
    :ivar left: the shell was told to end.
    """

    status: int
    output: bytes
    errors: bytes
    then: str = ""
    left: bool = False


def install_programs(filesystem: Filesystem) -> None:
    """Put the programs into the file system."""
    for name in (*_PROGRAMS, SCP, "sh"):
        filesystem.install(posixpath.join("/usr/bin", name), b"\x7fELF", PROGRAM_MODE)
    filesystem.install(UTIL, b"\x7fELF", PROGRAM_MODE)


class Shell:
    """Runs command lines. On the bench's loop thread only."""

    def __init__(self, machine: Machine, session: Session | None = None) -> None:
        """Begin a session in the home directory."""
        self.session = session or Session()
        self._machine = machine
        self._out, self._err = _Sink(), _Sink()
        self._builtins: dict[str, Callable[[Call], None]] = {
            ":": _succeed,
            "cd": self._change_directory,
            "echo": _echo,
            "exit": self._exit,
            "export": self._export,
            "false": _fail,
            "pwd": self._tell_directory,
            "true": _succeed,
        }

    def run(self, line: str, stdin: bytes = b"") -> Ended:
        """Run a command line.

        :param stdin: what it reads.
        :raises PowerLost: the power went in between.
        """
        self._out, self._err = _Sink(), _Sink()
        left = False
        try:
            self._run_all(parse(line), stdin)
        except ShellSyntaxError as error:
            self._complain(str(error))
            self.session.status = SYNTAX
        except _Exit:
            left = True
        return Ended(
            self.session.status, bytes(self._out.content), bytes(self._err.content), self.session.then, left
        )

    def words(self, command: Command) -> list[str]:
        """Return what the words of a command stand for here and now."""
        session, filesystem = self.session, self._machine.filesystem
        return [
            text
            for word in command.words
            for text in expand(word, session.value, HOME, filesystem, session.directory)
        ]

    def _run_all(self, pipelines: Sequence[Pipeline], stdin: bytes) -> None:
        for pipeline in pipelines:
            succeeded = self.session.status == 0
            if pipeline.join is Join.IF_IT_SUCCEEDED and not succeeded:
                continue
            if pipeline.join is Join.IF_IT_FAILED and succeeded:
                continue
            self._run_pipeline(pipeline, stdin)
            if self.session.then:
                return  # the device goes down: nothing runs behind it

    def _run_pipeline(self, pipeline: Pipeline, stdin: bytes) -> None:
        for number, command in enumerate(pipeline.commands):
            is_last = number == len(pipeline.commands) - 1
            out = self._out if is_last else _Sink()
            self.session.status = self._run_command(command, stdin, out) & _MOST_STATUS
            stdin = bytes(out.content)
        if pipeline.negated:
            self.session.status = int(self.session.status == 0)

    def _run_command(self, command: Command, stdin: bytes, out: _Sink) -> int:
        words = self.words(command)
        streams = {1: out, 2: self._err}
        opened: list[_Sink] = []
        try:
            stdin = self._redirect(command, stdin, streams, opened)
        except FsError as error:
            self._complain(f"can't {error.args[0]}")
            return 1
        except ShellSyntaxError as error:
            self._complain(str(error))
            return SYNTAX
        status = self._call(words, stdin, streams) if words else 0
        for sink in opened:
            status = self._save(sink) or status
        return status

    def _redirect(
        self, command: Command, stdin: bytes, streams: dict[int, _Sink], opened: list[_Sink]
    ) -> bytes:
        """Open what streams come from and go to, and return what is read."""
        for each in command.redirections:
            name = expand_one(each.target, self.session.value, HOME)
            if each.operator == ">&":
                if name not in ("1", "2"):
                    raise ShellSyntaxError("syntax error: bad fd number")
                streams[each.stream] = streams[int(name)]
                continue
            path = absolute(name, self.session.directory)
            if each.operator == "<":
                stdin = self._open_input(name, path)
                continue
            sink = _Sink(None if path == _NULL else path, append=each.operator == ">>")
            if sink.path is not None:
                self._open_output(name, sink)
                opened.append(sink)
            streams[each.stream] = sink
        return stdin

    def _open_input(self, name: str, path: str) -> bytes:
        try:
            return self._machine.filesystem.read(path)
        except FsError as error:
            raise _Unopened(f"open {name}: no such file") from error

    def _open_output(self, name: str, sink: _Sink) -> None:
        filesystem = self._machine.filesystem
        path = sink.path or ""
        try:
            if not sink.append or filesystem.find(path) is None:
                filesystem.write(path, b"")
        except FsError as error:
            raise _Unopened(f"create {name}: {error.reason}") from error

    def _save(self, sink: _Sink) -> int:
        try:
            self._machine.filesystem.write(sink.path or "", bytes(sink.content), append=True)
        except FsError as error:
            self._complain(f"write error: {error.reason}")
            return 1
        return 0

    def _call(self, words: list[str], stdin: bytes, streams: dict[int, _Sink]) -> int:
        """Run a program, or what the shell does itself."""
        name, *arguments = words
        try:
            program = self._builtins.get(name) or self._find(name)
        except ProgramFailed as failure:
            streams[2].write(f"sh: {failure}\n".encode())
            return failure.status
        call = Call(
            name=posixpath.basename(name),
            arguments=arguments,
            stdin=stdin,
            machine=self._machine,
            session=self.session,
            write=streams[1].write,
            complain_bytes=streams[2].write,
        )
        self._machine.points.pass_by(power.BEFORE_COMMAND, call.name)
        try:
            program(call)
        except ProgramFailed as failure:
            said = f"{call.name}: {failure}" if failure.named else str(failure)
            streams[2].write(f"{said}\n".encode())
            call.status = failure.status
        self._machine.points.pass_by(power.AFTER_COMMAND, call.name)
        return call.status

    def _find(self, name: str) -> Callable[[Call], None]:
        """Return a program.

        :raises ProgramFailed: there is none of this name.
        """
        if "/" not in name:
            program = _PROGRAMS.get(name)
            if program is None:
                raise ProgramFailed(f"{name}: not found", NOT_FOUND)
            return program
        path = absolute(name, self.session.directory)
        entry = self._machine.filesystem.find(path)
        if entry is None:
            raise ProgramFailed(f"{name}: not found", NOT_FOUND)
        directory, base = posixpath.split(path)
        program = system_programs.provision if path == UTIL else _PROGRAMS.get(base)
        is_known = program is not None and (path == UTIL or directory in PATH.split(":"))
        if isinstance(entry, Directory) or not entry.mode & 0o111 or not is_known or program is None:
            raise ProgramFailed(f"{name}: Permission denied", NOT_A_PROGRAM)
        return program

    def _complain(self, text: str) -> None:
        self._err.write(f"sh: {text}\n".encode())

    # -- what the shell does itself --

    def _change_directory(self, call: Call) -> None:
        name = call.arguments[0] if call.arguments else HOME
        path = call.path(name)
        if not self._machine.filesystem.is_directory(path):
            raise ProgramFailed(f"sh: cd: can't cd to {name}: No such file or directory", 2, named=False)
        self.session.directory = self.session.values["PWD"] = path

    def _tell_directory(self, call: Call) -> None:
        call.say(self.session.directory)

    def _export(self, call: Call) -> None:
        for each in call.arguments:
            name, sign, value = each.partition("=")
            if sign:
                self.session.values[name] = value

    def _exit(self, call: Call) -> None:
        text = call.arguments[0] if call.arguments else str(self.session.status)
        if not (text.isascii() and text.isdigit()):
            raise ProgramFailed(f"sh: exit: Illegal number: {text}", SYNTAX, named=False)
        self.session.status = int(text) & _MOST_STATUS
        raise _Exit


class _Unopened(FsError):
    """A redirection could not be opened."""

    def __init__(self, what: str) -> None:
        OSError.__init__(self, what)


def _echo(call: Call) -> None:
    words, end = list(call.arguments), "\n"
    if words[:1] == ["-n"]:
        words, end = words[1:], ""
    call.write((" ".join(words) + end).encode())


def _succeed(call: Call) -> None:
    call.status = 0


def _fail(call: Call) -> None:
    call.status = 1


def reads_input(pipelines: Sequence[Pipeline]) -> bool:
    """Tell whether a command line reads what its caller sends: then the caller has to end it."""
    return any(_reads(pipeline.commands[0]) for pipeline in pipelines)


def _reads(command: Command) -> bool:
    if any(each.stream == 0 for each in command.redirections) or not command.words:
        return False
    texts = ["".join(part.text for part in word) for word in command.words]
    operands = [text for text in texts[1:] if text == "-" or not text.startswith("-")]
    return posixpath.basename(texts[0]) in _READERS and (not operands or "-" in operands)


def only_command(pipelines: Sequence[Pipeline]) -> Command | None:
    """Return the one simple command that a line consists of, ``None`` when it is another line."""
    if len(pipelines) != 1 or pipelines[0].negated or len(pipelines[0].commands) != 1:
        return None
    (command,) = pipelines[0].commands
    return None if command.redirections else command
