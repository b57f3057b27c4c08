"""The device's file system, in memory: directories, files, modes, times, and how much room there is.

``/scratch``, ``/tmp`` and ``/run`` are kept in RAM and lost with the power; all else is permanent. A change
happens or does not happen. Paths are absolute and normal (see :func:`absolute`).
"""

from __future__ import annotations

import errno
import os
import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness_pelion.virtual import power

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.virtual.power_points import PowerPoints

SCRATCH = "/scratch"
ROOT = "/"
#: What is kept in RAM.
VOLATILE = (SCRATCH, "/tmp", "/run")  # noqa: S108 - the device's own, not the host's
#: Where the utility that provisions is (pelion fact sheet, section 2).
UTIL = "/opt/arm/pelion-provisioning-util"

DIRECTORY_MODE, FILE_MODE, PROGRAM_MODE = 0o755, 0o644, 0o755

_PERMANENT = (
    "/bin", "/config/user/pal", "/dev", "/etc", "/home/root", "/mnt", "/opt/arm", "/proc/sys/kernel/random",
    "/sbin", "/usr/bin", "/usr/sbin", "/var/log",
)  # fmt: skip


class FsError(OSError):
    """An operation failed; ``strerror`` says why as the C library does."""

    def __init__(self, code: int, path: str) -> None:
        """Say what is wrong with a path.

        :param code: of :mod:`errno`.
        """
        super().__init__(code, os.strerror(code), path)

    @property
    def reason(self) -> str:
        """Why it failed."""
        return str(self.strerror)


@dataclass(slots=True)
class File:
    """A file; one that is shown has no content of its own."""

    content: bytes = b""
    mode: int = FILE_MODE
    mtime: float = 0.0
    shown: Callable[[], bytes] | None = None

    @property
    def data(self) -> bytes:
        """What it holds."""
        return self.content if self.shown is None else self.shown()


@dataclass(slots=True)
class Directory:
    """A directory."""

    entries: dict[str, File | Directory] = field(default_factory=dict)
    mode: int = DIRECTORY_MODE
    mtime: float = 0.0


@dataclass(slots=True)
class Mount:
    """How much fits on one file system.

    :ivar where: its root.
    :ivar capacity: bytes that fit.
    :ivar read_only: nothing can be changed.
    :ivar left: how many bytes more fit now, when a test has filled it.
    """

    where: str
    capacity: int
    read_only: bool = False
    left: int | None = None


class Filesystem:
    """Keeps files. On the bench's loop thread only."""

    def __init__(
        self, points: PowerPoints, now: Callable[[], float], disk_bytes: int, scratch_bytes: int
    ) -> None:
        """Be as the image is.

        :param points: passed before and after each change.
        :param now: tells the time, in seconds since 1970.
        :param disk_bytes: size of the permanent storage.
        :param scratch_bytes: size of each part that is kept in RAM.
        """
        self._points = points
        self._now = now
        self._image: dict[str, File] = {}
        self.mounts = {ROOT: Mount(ROOT, disk_bytes)}
        self.mounts |= {where: Mount(where, scratch_bytes) for where in VOLATILE}
        self.restore_image()

    # -- the image --

    def install(self, path: str, content: bytes = b"", mode: int = FILE_MODE) -> None:
        """Have a file that belongs to the image."""
        self._image[path] = File(content, mode)
        self._install(path)

    def show(self, path: str, read: Callable[[], bytes]) -> None:
        """Show at a path what the device tells itself: it can be read, not written, removed or replaced."""
        self._image[path] = File(mode=0o444, shown=read)
        self._install(path)

    def restore_image(self) -> None:
        """Be as the image is again, whatever was made, changed or removed."""
        self._root = Directory()
        for path in (*_PERMANENT, *VOLATILE):
            self._install_directory(path)
        for path in self._image:
            self._install(path)

    def lose_power(self) -> None:
        """Lose what is kept in RAM."""
        for where in VOLATILE:
            self._directory(where).entries.clear()

    def end_faults(self) -> None:
        """Have room again, and be writable."""
        for mount in self.mounts.values():
            mount.left, mount.read_only = None, False

    # -- reading --

    def find(self, path: str) -> File | Directory | None:
        """Return what is at a path, ``None`` when nothing is."""
        found: File | Directory | None = self._root
        for name in _names(path):
            if not isinstance(found, Directory):
                return None
            found = found.entries.get(name)
        return found

    def entry(self, path: str) -> File | Directory:
        """Return what is at a path.

        :raises FsError: nothing is, or what leads there is no directory.
        """
        found = self.find(path)
        if found is None:
            self._check_way(path)
            raise FsError(errno.ENOENT, path)
        return found

    def is_directory(self, path: str) -> bool:
        """Tell whether there is a directory."""
        return isinstance(self.find(path), Directory)

    def read(self, path: str) -> bytes:
        """Return what a file holds.

        :raises FsError: there is none.
        """
        found = self.entry(path)
        if isinstance(found, Directory):
            raise FsError(errno.EISDIR, path)
        return found.data

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, in their order.

        :raises FsError: there is none.
        """
        return sorted(self._directory(path).entries)

    def walk(self, path: str) -> Iterator[tuple[str, File | Directory]]:
        """Give a path and all that is below it, a directory before what is in it.

        :raises FsError: there is nothing.
        """
        found = self.entry(path)
        yield path, found
        if isinstance(found, Directory):
            for name in sorted(found.entries):
                yield from self.walk(posixpath.join(path, name))

    def mount_of(self, path: str) -> Mount:
        """Return the file system that a path is on."""
        return self.mounts[next((each for each in VOLATILE if _is_below(path, each)), ROOT)]

    def used(self, mount: Mount) -> int:
        """Return how many bytes all files on a file system have.

        Each write asks, so it goes through directories as they come and names no file.
        """
        found = self.entry(mount.where)
        size, ahead = 0, [(mount.where, found)] if isinstance(found, Directory) else []
        while ahead:
            path, directory = ahead.pop()
            for name, entry in directory.entries.items():
                if isinstance(entry, File):
                    size += len(entry.content)
                elif (below := posixpath.join(path, name)) not in VOLATILE:
                    ahead.append((below, entry))
        return size

    def room(self, mount: Mount) -> int:
        """Return how many bytes more fit."""
        return mount.capacity - self.used(mount) if mount.left is None else mount.left

    def check_room(self, path: str, size: int) -> None:
        """Refuse what cannot be written.

        :param path: on the file system in question.
        :param size: how many bytes more.
        :raises FsError: it is read-only, or there is no room for so much.
        """
        mount = self.mount_of(path)
        if mount.read_only:
            raise FsError(errno.EROFS, path)
        if size > 0 and size > self.room(mount):
            raise FsError(errno.ENOSPC, path)

    # -- changing --

    def write(self, path: str, content: bytes, *, mode: int | None = None, append: bool = False) -> None:
        """Write a file, in the place of what it held or behind it. As much as fits is written.

        :param mode: of a new file; default: 0644.
        :raises FsError: it cannot be written, or not all of it.
        """
        parent, name = self._parent(path)
        found = parent.entries.get(name)
        if isinstance(found, Directory):
            raise FsError(errno.EISDIR, path)
        if found is not None and found.shown is not None:
            raise FsError(errno.EACCES, path)
        before = b"" if found is None else found.content
        self.check_room(path, 1 if content and found is None else 0)
        kept = before if append else b""
        room = self.room(self.mount_of(path)) + len(before) - len(kept)
        fits = content[: max(0, room)]
        with _Passing(self._points, f"write {path}"):
            file = found or File(mode=FILE_MODE if mode is None else mode)
            self._count(path, len(kept) + len(fits) - len(before))
            file.content, file.mtime = kept + fits, self._now()
            parent.entries[name] = file
        if len(fits) < len(content):
            raise FsError(errno.ENOSPC, path)

    def make_directory(self, path: str, mode: int = DIRECTORY_MODE) -> None:
        """Make a directory.

        :raises FsError: it cannot be made.
        """
        if self.find(path) is not None:
            raise FsError(errno.EEXIST, path)
        parent, name = self._parent(path)
        self.check_room(path, 1)
        with _Passing(self._points, f"mkdir {path}"):
            parent.entries[name] = Directory(mode=mode, mtime=self._now())

    def remove(self, path: str) -> None:
        """Remove a file or an empty directory.

        :raises FsError: it cannot be removed.
        """
        found = self.entry(path)
        if path in self.mounts or (isinstance(found, File) and found.shown is not None):
            raise FsError(errno.EBUSY, path)
        if isinstance(found, Directory) and found.entries:
            raise FsError(errno.ENOTEMPTY, path)
        self.check_room(path, 0)
        parent, name = self._parent(path)
        with _Passing(self._points, f"rm {path}"):
            self._count(path, -len(found.content) if isinstance(found, File) else 0)
            del parent.entries[name]

    def rename(self, source: str, target: str) -> None:
        """Give a file or directory another path; a file that is there is replaced.

        :raises FsError: it cannot be renamed; :data:`errno.EXDEV`: it would be on another file system.
        """
        old_parent, old_name = self._parent(source)
        parent, name = self._parent(target)
        found, there = self.entry(source), parent.entries.get(name)
        if source in self.mounts or (isinstance(found, File) and found.shown is not None):
            raise FsError(errno.EBUSY, source)
        if there is found:
            return
        if isinstance(there, File) and there.shown is not None:
            raise FsError(errno.EBUSY, target)
        if isinstance(found, Directory) and _is_below(target, source):
            raise FsError(errno.EINVAL, target)
        if isinstance(there, Directory):
            raise FsError(errno.ENOTEMPTY if isinstance(found, Directory) else errno.EISDIR, target)
        if there is not None and isinstance(found, Directory):
            raise FsError(errno.ENOTDIR, target)
        if self.mount_of(source) is not self.mount_of(target):
            raise FsError(errno.EXDEV, target)
        self.check_room(target, 0)
        with _Passing(self._points, f"mv {target}"):
            self._count(target, 0 if there is None else -len(there.content))
            del old_parent.entries[old_name]
            parent.entries[name] = found

    def set_attributes(self, path: str, *, mode: int | None = None, mtime: float | None = None) -> None:
        """Set mode and time of a file or directory.

        :raises FsError: nothing is there, or it is read-only.
        """
        found = self.entry(path)
        self.check_room(path, 0)
        found.mode = found.mode if mode is None else mode
        found.mtime = found.mtime if mtime is None else mtime

    # -- inside --

    def _count(self, path: str, growth: int) -> None:
        mount = self.mount_of(path)
        if mount.left is not None:
            mount.left = max(0, mount.left - growth)

    def _install(self, path: str) -> None:
        parent = self._install_directory(posixpath.dirname(path))
        parent.entries[posixpath.basename(path)] = replace(self._image[path], mtime=self._now())

    def _install_directory(self, path: str) -> Directory:
        found = self._root
        for name in _names(path):
            below = found.entries.setdefault(name, Directory(mtime=self._now()))
            if not isinstance(below, Directory):
                raise FsError(errno.ENOTDIR, path)
            found = below
        return found

    def _directory(self, path: str) -> Directory:
        found = self.entry(path)
        if not isinstance(found, Directory):
            raise FsError(errno.ENOTDIR, path)
        return found

    def _parent(self, path: str) -> tuple[Directory, str]:
        if path == ROOT:
            raise FsError(errno.EBUSY, path)
        return self._directory(posixpath.dirname(path)), posixpath.basename(path)

    def _check_way(self, path: str) -> None:
        """Refuse a path that leads through a file."""
        way = posixpath.dirname(path)
        while way != ROOT:
            if isinstance(self.find(way), File):
                raise FsError(errno.ENOTDIR, path)
            way = posixpath.dirname(way)


class _Passing:
    """Passes the points before and after a change; the change is not done when the power goes before it."""

    def __init__(self, points: PowerPoints, detail: str) -> None:
        self._points, self._detail = points, detail

    def __enter__(self) -> None:
        self._points.pass_by(power.BEFORE_WRITE, self._detail)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._points.pass_by(power.AFTER_WRITE, self._detail)


def absolute(path: str, directory: str = ROOT) -> str:
    """Return a path as one from the root, without ``.``, ``..`` and doubled slashes.

    :param directory: what a relative path is relative to.
    """
    return "/" + posixpath.normpath(posixpath.join(directory, path)).lstrip("/")


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]


def _is_below(path: str, where: str) -> bool:
    return path == where or path.startswith(f"{where}/")
