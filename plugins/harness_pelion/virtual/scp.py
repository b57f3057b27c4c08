"""The device's end of the old SCP protocol, on the channel of an exec request.

It is the protocol of ``rcp``: lines ``Cmode size name``, ``Dmode 0 name``, ``E`` and ``Tmtime 0 atime 0``,
each answered by a zero byte, or by 1 and a text when something went wrong and 2 when all is over. A sink
takes files (``scp -t``), a source gives them (``scp -f``); pelion fact sheet, section 1.3.
"""

from __future__ import annotations

import errno
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness_pelion.virtual.filesystem import Directory, File, FsError, absolute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_pelion.virtual.bench_calls import BenchCalls
    from harness_pelion.virtual.filesystem import Filesystem

_OK, _PROBLEM, _END = b"\0", b"\1", b"\2"
_PIECE = 64 * 1024
_LONGEST_LINE = 4096
_ENTRY = re.compile(rb"([CD])([0-7]{4,5}) ([0-9]{1,10}) (.+)", re.DOTALL)
_TIMES = re.compile(rb"T([0-9]{1,12}) [0-9]{1,6} [0-9]{1,12} [0-9]{1,6}")
_MODES = 0o7777
_TO, _FROM = "t", "f"
_USAGE = "usage: scp -t|-f [-dprv] path ..."


class Channel(Protocol):
    """What carries the protocol."""

    async def read(self, most: int) -> bytes:
        """Return what has come, at most so many bytes; nothing: the other end has closed."""

    def write(self, data: bytes) -> None:
        """Send."""


class _Over(Exception):
    """The transfer ends at once; the text, if any, is told to the other end."""


@dataclass(frozen=True, slots=True)
class Request:
    """What ``scp`` was asked for.

    :ivar sink: it takes files; else it gives them.
    :ivar paths: where they go, or what is given.
    """

    sink: bool
    paths: tuple[str, ...]
    recursive: bool = False
    keeps_times: bool = False
    wants_directory: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file or directory that comes."""

    is_file: bool
    mode: int
    size: int
    name: str


def read_arguments(arguments: Sequence[str]) -> Request:
    """Read the arguments of ``scp``.

    :raises ValueError: they do not fit; the text is what it says then.
    """
    letters, paths = "", []
    rest = list(arguments)
    while rest:
        each = rest.pop(0)
        if each == "--":
            paths += rest
            rest = []
        elif each.startswith("-") and each != "-" and not paths:
            letters += each[1:]
        else:
            paths.append(each)
    if set(letters) - set("tfdprvq") or (_TO in letters) == (_FROM in letters) or not paths:
        raise ValueError(_USAGE)
    if _TO in letters and len(paths) > 1:
        raise ValueError("scp: ambiguous target")
    return Request(_TO in letters, tuple(paths), "r" in letters, "p" in letters, "d" in letters)


class ScpEnd:
    """One transfer."""

    def __init__(
        self,
        channel: Channel,
        filesystem: Filesystem,
        calls: BenchCalls,
        directory: str,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin nothing yet.

        :param directory: what relative paths are relative to.
        :param is_cut: asked at each file that comes; true: the connection is lost in the middle of it.
        """
        self._channel = channel
        self._filesystem = filesystem
        self._call = calls.call
        self._directory = directory
        self._is_cut = is_cut
        self._buffer = bytearray()
        self._failed = False

    async def run(self, request: Request) -> int:
        """Transfer, and return the exit code.

        :raises ConnectionAbortedError: the connection is to be lost now.
        :raises PowerGone: the power went.
        """
        try:
            if request.sink:
                await self._take_all(request)
            else:
                await self._give_all(request)
        except _Over as over:
            if str(over):
                self._channel.write(_END + f"scp: {over}\n".encode())
            return 1
        return int(self._failed)

    # -- sink --

    async def _take_all(self, request: Request) -> None:
        target = absolute(request.paths[0], self._directory)
        is_directory = await self._call(lambda: self._filesystem.is_directory(target))
        if request.wants_directory and not is_directory:
            raise _Over(f"{request.paths[0]}: Not a directory")
        self._channel.write(_OK)
        await self._take(request, target, is_directory=is_directory, level=0)

    async def _take(self, request: Request, target: str, *, is_directory: bool, level: int) -> None:
        """Take what goes to a path, up to the end of a directory or of everything."""
        mtime: float | None = None
        while line := await self._line(may_end=level == 0):
            if line[:1] in (_PROBLEM, _END):
                self._failed = True
                if line[:1] == _END:
                    raise _Over
            elif line == b"E" and level:
                self._channel.write(_OK)
                return
            elif times := _TIMES.fullmatch(line):
                mtime = float(times[1])
                self._channel.write(_OK)
            else:
                entry = _read_entry(line)
                path = posixpath.join(target, entry.name) if is_directory else target
                if entry.is_file:
                    await self._take_file(path, entry, mtime)
                elif request.recursive:
                    await self._take_directory(request, path, entry, mtime, level)
                else:
                    raise _Over("received directory without -r")
                mtime = None

    async def _take_directory(
        self, request: Request, path: str, entry: _Entry, mtime: float | None, level: int
    ) -> None:
        def make() -> None:
            found = self._filesystem.find(path)
            if isinstance(found, File):
                raise FsError(errno.ENOTDIR, path)
            if found is None:
                self._filesystem.make_directory(path, entry.mode)

        if not await self._done(make, path):
            return  # whoever gives leaves the directory out
        self._channel.write(_OK)
        await self._take(request, path, is_directory=True, level=level + 1)
        if mtime is not None:
            await self._done(lambda: self._filesystem.set_attributes(path, mtime=mtime), path)

    async def _take_file(self, path: str, entry: _Entry, mtime: float | None) -> None:
        if not await self._done(lambda: self._filesystem.write(path, b"", mode=entry.mode), path):
            return  # whoever gives leaves the file out
        self._channel.write(_OK)
        is_cut = self._is_cut()
        content = await self._exactly(entry.size // 2 if is_cut else entry.size)

        def write() -> None:
            if content:
                self._filesystem.write(path, content)
            if mtime is not None:
                self._filesystem.set_attributes(path, mtime=mtime)

        problem: FsError | None = None
        try:
            await self._call(write)
        except FsError as error:
            problem = error
        if is_cut or len(content) < entry.size:
            raise ConnectionAbortedError
        await self._check_answer()
        if problem is None:
            self._channel.write(_OK)
        else:
            self._complain(path, problem)

    async def _done(self, action: Callable[[], None], path: str) -> bool:
        """Do something to the file system; when it fails tell the other end, and return false."""
        try:
            await self._call(action)
        except FsError as error:
            self._complain(path, error)
            return False
        return True

    def _complain(self, path: str, error: FsError) -> None:
        self._failed = True
        self._channel.write(_PROBLEM + f"scp: {path}: {error.reason}\n".encode())

    # -- source --

    async def _give_all(self, request: Request) -> None:
        await self._check_answer()
        for path in request.paths:
            await self._give(request, absolute(path, self._directory), path)

    async def _give(self, request: Request, path: str, shown: str) -> None:
        try:
            entry = await self._call(lambda: self._filesystem.entry(path))
        except FsError as error:
            self._complain(shown, error)
            return
        if isinstance(entry, Directory) and not request.recursive:
            self._failed = True
            self._channel.write(_PROBLEM + f"scp: {shown}: not a regular file\n".encode())
            return
        content = await self._call(lambda: entry.data) if isinstance(entry, File) else b""
        if request.keeps_times and not await self._say(f"T{int(entry.mtime)} 0 {int(entry.mtime)} 0"):
            return
        letter = "D" if isinstance(entry, Directory) else "C"
        if not await self._say(f"{letter}{entry.mode:04o} {len(content)} {posixpath.basename(path) or '/'}"):
            return
        if isinstance(entry, Directory):
            for name in await self._call(lambda: sorted(entry.entries)):
                await self._give(request, posixpath.join(path, name), posixpath.join(shown, name))
            await self._say("E")
        else:
            self._channel.write(content + _OK)
            await self._check_answer()

    async def _say(self, line: str) -> bool:
        """Send a line, and tell whether the other end takes what it announces."""
        self._channel.write(f"{line}\n".encode())
        return await self._check_answer()

    # -- both --

    async def _check_answer(self) -> bool:
        """Read the answer of the other end, and tell whether it is well.

        :raises _Over: it will have no more, or is gone.
        """
        code = await self._exactly(1)
        if code == _OK:
            return True
        if code not in (_PROBLEM, _END):
            raise _Over("protocol error: bad answer" if code else "")
        await self._line(may_end=True)
        self._failed = True
        if code == _END:
            raise _Over
        return False

    async def _exactly(self, size: int) -> bytes:
        """Read so many bytes, or fewer when the other end has closed."""
        while len(self._buffer) < size:
            piece = await self._channel.read(_PIECE)
            if not piece:
                break
            self._buffer += piece
        return self._taken(size)

    async def _line(self, *, may_end: bool) -> bytes:
        """Read a line, without its end; nothing: the other end has closed.

        :param may_end: it may close here.
        :raises _Over: it is too long or empty, or the other end has closed elsewhere.
        """
        while b"\n" not in self._buffer and len(self._buffer) <= _LONGEST_LINE:
            piece = await self._channel.read(_PIECE)
            if not piece:
                if self._buffer or not may_end:
                    raise _Over
                return b""
            self._buffer += piece
        end = self._buffer.find(b"\n")
        if not 0 < end <= _LONGEST_LINE:
            raise _Over("protocol error: unexpected <newline>")
        return self._taken(end + 1)[:-1]

    def _taken(self, size: int) -> bytes:
        """Return so many bytes of what has come, or fewer when there are fewer, and forget them."""
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content


def _read_entry(line: bytes) -> _Entry:
    """Read what is said of a file or directory that comes.

    :raises _Over: the line is none such, or the name leads elsewhere.
    """
    match = _ENTRY.fullmatch(line)
    if match is None:
        raise _Over("protocol error: expected control record")
    try:
        name = match[4].decode()
    except UnicodeDecodeError:
        raise _Over("error: unexpected filename") from None
    if "/" in name or "\0" in name or name in (".", ".."):
        raise _Over(f"error: unexpected filename: {name}")
    return _Entry(match[1] == b"C", int(match[2], 8) & _MODES, int(match[3]), name)
