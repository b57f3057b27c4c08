"""The device's file system, judged by that of the host: the same calls, the same outcome, the same errors."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.virtual.power_points import PowerLost
from harness_pelion.virtual.filesystem import Directory, File, Filesystem, FsError, absolute
from harness_pelion.virtual.power import make_points

if TYPE_CHECKING:
    from collections.abc import Callable

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=5)
#: The same trouble, for which POSIX lets a system choose its word.
SAME = {errno.EEXIST: errno.ENOTEMPTY, errno.EISDIR: errno.ENOTDIR}


def make(disk: int = 1 << 20, scratch: int = 1 << 20) -> Filesystem:
    """Return the file system of a new device."""
    return Filesystem(make_points(), lambda: 1_700_000_000.0, disk, scratch)


def outcome(action: Callable[[], object]) -> int:
    """Return the error of an action, 0 when there is none."""
    try:
        action()
    except OSError as error:
        code = error.errno or -1
        return SAME.get(code, code)
    return 0


class LikeTheHost(RuleBasedStateMachine):
    """Does the same on the device and on the host."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = make()
        self.theirs = Path(tempfile.mkdtemp())

    def both(self, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        assert outcome(ours) == outcome(theirs)

    @rule(path=PATHS, content=CONTENTS, append=st.booleans())
    def write(self, path: str, content: bytes, append: bool) -> None:  # noqa: FBT001 - drawn
        def write() -> None:
            with (self.theirs / path).open("ab" if append else "wb") as file:
                file.write(content)

        self.both(lambda: self.ours.write(f"/mnt/{path}", content, append=append), write)

    @rule(path=PATHS)
    def make_directory(self, path: str) -> None:
        self.both(lambda: self.ours.make_directory(f"/mnt/{path}"), (self.theirs / path).mkdir)

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        target = self.theirs / path
        self.both(
            lambda: self.ours.remove(f"/mnt/{path}"),
            lambda: target.rmdir() if target.is_dir() else target.unlink(),
        )

    @rule(path=PATHS)
    def read(self, path: str) -> None:
        self.both(lambda: self.ours.read(f"/mnt/{path}"), (self.theirs / path).read_bytes)

    @rule(source=PATHS, there=PATHS)
    def rename(self, source: str, there: str) -> None:
        place = self.theirs / there
        if place.is_dir() and (self.theirs / source).is_dir() and not any(place.iterdir()):
            return  # the host replaces an empty directory; no program of the device asks for that
        self.both(
            lambda: self.ours.rename(f"/mnt/{source}", f"/mnt/{there}"),
            lambda: (self.theirs / source).rename(place),
        )

    @invariant()
    def alike(self) -> None:
        found = {
            str(each.relative_to(self.theirs)): None if each.is_dir() else each.read_bytes()
            for each in self.theirs.rglob("*")
        }
        ours = {
            path.removeprefix("/mnt/"): None if isinstance(entry, Directory) else entry.data
            for path, entry in self.ours.walk("/mnt")
            if path != "/mnt"
        }
        assert ours == found

    def teardown(self) -> None:
        shutil.rmtree(self.theirs)


TestLikeTheHost = LikeTheHost.TestCase
TestLikeTheHost.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


def test_scratch_is_lost() -> None:
    """What is in RAM goes with the power, all else stays."""
    filesystem = make()
    for path in ("/scratch/a", "/tmp/a", "/run/a", "/config/a", "/home/root/a"):  # noqa: S108 - the device's
        filesystem.write(path, b"x")
    filesystem.lose_power()
    kept = [path for path, entry in filesystem.walk("/") if isinstance(entry, File)]
    assert kept == ["/config/a", "/home/root/a"]


@pytest.mark.parametrize(("mount", "other"), [("/", "/scratch"), ("/scratch", "/")])
def test_full(mount: str, other: str) -> None:
    """A full file system takes what fits; another one, and what makes room, are not concerned."""
    filesystem = make()
    filesystem.write(f"{mount}/old", bytes(10))
    filesystem.mounts[mount].left = 4
    assert outcome(lambda: filesystem.write(f"{mount}/new", bytes(5))) == errno.ENOSPC
    assert filesystem.read(f"{mount}/new") == bytes(4)
    assert outcome(lambda: filesystem.make_directory(f"{mount}/d")) == errno.ENOSPC
    filesystem.write(f"{other}/new", bytes(5))
    filesystem.remove(f"{mount}/old")
    filesystem.make_directory(f"{mount}/d")
    filesystem.write(f"{mount}/d/new", bytes(10))
    with pytest.raises(FsError, match="No space left on device"):
        filesystem.write(f"{mount}/d/more", b"x")
    filesystem.write(f"{mount}/d/empty", b"")
    filesystem.rename(f"{mount}/d/empty", f"{mount}/d/new")
    filesystem.write(f"{mount}/d/more", bytes(10))
    filesystem.end_faults()
    filesystem.write(f"{mount}/d/more", bytes(11))


def test_capacity() -> None:
    """There is as much room as the device was built with."""
    filesystem = make(scratch=10)
    filesystem.write("/scratch/a", bytes(6))
    assert filesystem.room(filesystem.mount_of("/scratch/a")) == 4
    assert outcome(lambda: filesystem.write("/scratch/b", bytes(5))) == errno.ENOSPC
    assert filesystem.read("/scratch/b") == bytes(4)
    filesystem.write("/scratch/a", bytes(6))


def test_read_only() -> None:
    """Nothing changes on a read-only file system, and everything can be read."""
    filesystem = make()
    filesystem.write("/scratch/a", b"x")
    filesystem.make_directory("/scratch/d")
    filesystem.mounts["/scratch"].read_only = True
    before = [(path, entry.mode) for path, entry in filesystem.walk("/scratch")]
    actions: list[Callable[[], object]] = [
        lambda: filesystem.write("/scratch/a", b"y"),
        lambda: filesystem.write("/scratch/b", b""),
        lambda: filesystem.make_directory("/scratch/e"),
        lambda: filesystem.remove("/scratch/a"),
        lambda: filesystem.rename("/scratch/a", "/scratch/b"),
        lambda: filesystem.set_attributes("/scratch/a", mode=0),
    ]
    assert [outcome(action) for action in actions] == [errno.EROFS] * 6
    assert [(path, entry.mode) for path, entry in filesystem.walk("/scratch")] == before
    assert filesystem.read("/scratch/a") == b"x"
    with pytest.raises(FsError, match="Read-only file system"):
        filesystem.write("/scratch/a", b"y")


def test_what_belongs_to_the_device() -> None:
    """Neither the roots of file systems nor what the device shows can be changed."""
    filesystem = make()
    filesystem.show("/var/log/x", lambda: b"now")
    assert filesystem.read("/var/log/x") == b"now"
    filesystem.write("/mnt/y", b"y")
    actions: list[Callable[[], object]] = [
        lambda: filesystem.remove("/scratch"),
        lambda: filesystem.rename("/scratch", "/mnt/x"),
        lambda: filesystem.remove("/var/log/x"),
        lambda: filesystem.rename("/var/log/x", "/mnt/x"),
        lambda: filesystem.rename("/mnt/y", "/var/log/x"),
        lambda: filesystem.remove("/"),
    ]
    assert [outcome(action) for action in actions] == [errno.EBUSY] * 6
    assert filesystem.read("/var/log/x") == b"now"
    assert outcome(lambda: filesystem.write("/var/log/x", b"y")) == errno.EACCES
    assert outcome(lambda: filesystem.rename("/etc", "/scratch/etc")) == errno.EXDEV


@pytest.mark.parametrize("point", ["before write", "after write"])
def test_cut(point: str) -> None:
    """A change happens or does not happen when the power goes."""
    done = point == "after write"
    cases: list[tuple[str, Callable[[Filesystem], None], Callable[[Filesystem], bool]]] = [
        ("write", lambda each: each.write("/mnt/a", b"new"), lambda each: each.read("/mnt/a") == b"new"),
        ("mkdir", lambda each: each.make_directory("/mnt/d"), lambda each: each.is_directory("/mnt/d")),
        ("rm", lambda each: each.remove("/mnt/a"), lambda each: each.find("/mnt/a") is None),
        ("mv", lambda each: each.rename("/mnt/a", "/mnt/b"), lambda each: each.find("/mnt/b") is not None),
    ]
    for name, action, seen in cases:
        points = make_points()
        filesystem = Filesystem(points, lambda: 0.0, 1000, 1000)
        filesystem.write("/mnt/a", b"old")
        points.arm(point, 1, comes_back=False)
        with pytest.raises(PowerLost):
            action(filesystem)
        assert seen(filesystem) is done, name


@pytest.mark.parametrize(
    ("path", "directory", "expected"),
    [
        ("a", "/b", "/b/a"),
        ("/a/./b/../c", "/", "/a/c"),
        ("..", "/", "/"),
        ("//a//b/", "/x", "/a/b"),
        ("", "/b", "/b"),
        ("../../..", "/a/b", "/"),
    ],
)
def test_absolute(path: str, directory: str, expected: str) -> None:
    """Paths are brought to one form."""
    assert absolute(path, directory) == expected
    assert os.path.normpath(os.path.join(directory, path)).replace("//", "/") == expected  # noqa: PTH118
