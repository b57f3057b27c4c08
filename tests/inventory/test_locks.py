"""Lock files, what children inherit of them, and waiting for the first of several."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory.locks import (
    FreedLocks,
    close_lock,
    is_locked,
    keep_from_children,
    open_lock_file,
    try_lock,
)
from tests.open_files import open_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 20.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A lock file that is not there yet."""
    return tmp_path / "lock"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Descriptors that hold the locks ``a`` and ``b``."""
    descriptors = {}
    for name in ("a", "b"):
        descriptors[name] = open_lock_file(tmp_path / name)
        assert try_lock(descriptors[name])
    yield descriptors
    for descriptor in descriptors.values():
        os.close(descriptor)


def test_a_file_appears_with_its_final_permissions(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rival of another user may open it the moment it is there, whatever our umask is."""
    really_fchmod = os.fchmod
    seen = []

    def look(descriptor: int, mode: int) -> None:
        seen.append(file.exists())
        really_fchmod(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", look)
    before = os.umask(0o077)
    try:
        os.close(open_lock_file(file, 0o666))
    finally:
        os.umask(before)

    assert seen == [False]
    assert stat.S_IMODE(file.stat().st_mode) == 0o666
    assert file.stat().st_nlink == 1


@pytest.mark.parametrize("error", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL])
def test_file_systems_without_nameless_files(file: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """There the file is made and then opened to others."""
    refuse_nameless_files(monkeypatch, error)

    os.close(open_lock_file(file, 0o666))

    assert stat.S_IMODE(file.stat().st_mode) == 0o666


def test_a_file_that_cannot_be_made(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told as such; no descriptor is left open."""
    before = open_below(file.parent)
    refuse_nameless_files(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        open_lock_file(file)
    monkeypatch.undo()

    def fail(*_arguments: Any, **_more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OSError, match="No space left"):
        open_lock_file(file)
    assert open_below(file.parent) == before


def refuse_nameless_files(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Answer every try to make a file without a name with an error."""
    really_open = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(error, os.strerror(error))
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("nameless", [True, False])
def test_the_making_may_be_raced(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    nameless: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Whoever makes the file second opens that of the first."""
    if not nameless:
        refuse_nameless_files(monkeypatch, errno.EOPNOTSUPP)
    really_open = os.open
    rivals: list[int] = []

    def raced(path: Path, flags: int, mode: int = 0o777) -> int:
        making = flags & os.O_CREAT or flags & os.O_TMPFILE == os.O_TMPFILE
        if making and not rivals:
            rivals.append(really_open(file, os.O_RDWR | os.O_CREAT))
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", raced)

    descriptor = open_lock_file(file)

    assert os.path.samestat(os.fstat(descriptor), os.fstat(rivals[0]))
    for each in (descriptor, *rivals):
        os.close(each)


def test_what_is_there_is_opened_and_not_made(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fs.protected_regular refuses O_CREAT on another user's file in a sticky directory, even for root."""
    file.touch()
    flags = []
    really_open = os.open

    def note(path: Path, how: int, mode: int = 0o777) -> int:
        flags.append(how)
        return really_open(path, how, mode)

    monkeypatch.setattr(os, "open", note)
    os.close(open_lock_file(file))

    (how,) = flags
    assert not how & os.O_CREAT
    assert how & os.O_NOFOLLOW
    assert how & os.O_CLOEXEC


def test_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    """Neither to what exists nor to what would be made."""
    for target in ("there", "missing"):
        (tmp_path / "there").touch()
        file.unlink(missing_ok=True)
        file.symlink_to(tmp_path / target)
        with pytest.raises(OSError, match="symbolic links"):
            open_lock_file(file)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("kept", [True, False])
def test_a_forked_child_keeps_no_lock(file: Path, kept: bool) -> None:  # noqa: FBT001 - a parameter
    """What a child inherited by fork keeps a lock after its parent; unless it is kept from children."""
    program = f"""
import os, sys, time
from pathlib import Path
from harness.inventory.locks import keep_from_children, open_lock_file, try_lock
descriptor = open_lock_file(Path({str(file)!r}))
assert try_lock(descriptor)
if {kept}:
    keep_from_children(descriptor)
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
else:
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"forked\n"
        process.kill()
        process.wait()
        look = open_lock_file(file)
        assert is_locked(look) is not kept
        os.close(look)
        process.stdin.close()
        process.stdout.read()  # until the child has ended too


def test_a_child_closes_nothing_else(file: Path) -> None:
    """A number that was closed and given to another file is not closed in a child."""
    descriptor = open_lock_file(file)
    keep_from_children(descriptor)
    close_lock(descriptor)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - coverage does not see a child that ends like this
        os.write(write, b"open")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 10) == b"open"
    os.close(read)
    os.close(write)


def test_waiting_for_the_first_of_several(tmp_path: Path, held: dict[str, int]) -> None:
    """Whichever becomes free first ends the wait, and is free then."""
    freed = FreedLocks()
    freed.watch(held, lambda name: open_lock_file(tmp_path / name))
    assert not freed.wait(0.05)

    os.close(held.pop("b"))

    assert freed.wait(SECONDS)
    look = open_lock_file(tmp_path / "b")
    assert not is_locked(look)
    assert try_lock(look)
    os.close(look)
    assert not freed.wait(0)
    freed.close()


def test_a_lock_that_was_free_already(tmp_path: Path, held: dict[str, int]) -> None:
    """It became free between somebody's look and the wait: the wait ends at once."""
    os.close(held.pop("a"))
    freed = FreedLocks()

    freed.watch(["a", "b"], lambda name: open_lock_file(tmp_path / name))

    assert freed.wait(SECONDS)
    freed.close()


def test_each_lock_is_waited_for_once(tmp_path: Path, held: dict[str, int]) -> None:
    """Asking again opens nothing again, and a lock that is not wanted any more ends no wait."""
    opened = []

    def open_file(name: str) -> int:
        opened.append(name)
        return open_lock_file(tmp_path / name)

    before = set(threading.enumerate())
    freed = FreedLocks()
    freed.watch(["a", "b"], open_file)
    freed.watch(["a", "b"], open_file)
    assert opened == ["a", "b"]
    waiters = set(threading.enumerate()) - before
    assert len(waiters) == 2

    freed.watch(["a"], open_file)
    os.close(held.pop("b"))
    assert not freed.wait(0.2)

    os.close(held.pop("a"))
    assert freed.wait(SECONDS)
    for thread in waiters:
        thread.join(SECONDS)
        assert not thread.is_alive()
    freed.close()


def test_a_wait_given_up_takes_nothing(tmp_path: Path, held: dict[str, int]) -> None:
    """Threads that stay behind give the lock back when it falls to them, and end."""
    before = set(threading.enumerate())
    freed = FreedLocks()
    freed.watch(held, lambda name: open_lock_file(tmp_path / name))
    waiters = set(threading.enumerate()) - before
    freed.close()

    for name in ("a", "b"):
        os.close(held.pop(name))
    for thread in waiters:
        thread.join(SECONDS)
        assert not thread.is_alive()
    for name in ("a", "b"):
        look = open_lock_file(tmp_path / name)
        assert not is_locked(look)
        os.close(look)


def test_a_lock_that_cannot_be_waited_for(
    tmp_path: Path, held: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told, and does not wait for ever."""
    really_fcntl = fcntl.fcntl

    def fail(descriptor: int, command: int, argument: Any = 0) -> Any:
        if command == fcntl.F_OFD_SETLKW:
            raise OSError(errno.ENOLCK, "No locks available")
        return really_fcntl(descriptor, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", fail)
    freed = FreedLocks()
    freed.watch(["a"], lambda name: open_lock_file(tmp_path / name))

    with pytest.raises(OSError, match="No locks available"):
        freed.wait(SECONDS)
    freed.close()
