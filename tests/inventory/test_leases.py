"""Leases: one session a board, known by name, gone with their holder however it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import LeaseBusy, RigFault, UsageError
from harness.inventory.board import Board
from harness.inventory.leases import Lease, Leases, holder, lease_directory, lease_file
from harness.inventory.locks import is_locked, open_lock_file, try_lock, wait_for_lock
from tests.open_files import open_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Takes a lease in another process, says so, and holds it until its standard input ends.
HOLDER = """
import sys
from harness.inventory.board import Board
from harness.inventory.leases import Lease

lease = Lease(Board(id=sys.argv[1], kind="k", driver="d"), "other-session", deadline=5)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def shared_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the host's own leases out of the tests."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    return tmp_path / "leases"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds board ``b1``."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, "b1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def board(board_id: str = "b1", bench: Path | None = None) -> Board:
    """Describe a board."""
    return Board(id=board_id, kind="k", driver="d", bench=None if bench is None else str(bench))


def test_a_lease_is_exclusive_inside_one_process_too() -> None:
    """Two sessions of one process are rivals like any other."""
    first = Lease(board(), "s1", deadline=0)

    with pytest.raises(LeaseBusy, match=r"board b1 is leased by session s1 of .* waited 0 s"):
        Lease(board(), "s2", deadline=0)

    first.release()
    first.release()
    Lease(board(), "s2", deadline=0).release()


def test_the_holder_can_be_read_without_taking(other: subprocess.Popen[bytes]) -> None:
    """Whoever asks learns user, process, host, session and time, and takes nothing."""
    found = holder(board())

    assert found is not None
    assert (found.session, found.pid) == ("other-session", other.pid)
    assert found.user
    assert found.host == os.uname().nodename
    assert found.since.endswith("+00:00")
    assert holder(board()) == found
    assert holder(board("never-leased")) is None


def test_a_lease_dies_with_its_holder(other: subprocess.Popen[bytes]) -> None:
    """After SIGKILL the board is free at once; the record of the dead does not count."""
    other.kill()
    other.wait()

    assert holder(board()) is None
    Lease(board(), "s", deadline=0).release()
    assert json.loads(lease_file(board()).read_bytes())["session"] == "s"


def test_waiting_ends_when_the_board_is_given_back(other: subprocess.Popen[bytes]) -> None:
    """Whoever waits gets the board as soon as its holder lets go."""
    assert other.stdin is not None
    timer = threading.Timer(0.2, other.stdin.close)
    timer.start()
    began = time.monotonic()

    lease = Lease(board(), "s", deadline=10)

    assert time.monotonic() - began > 0.15
    timer.join()
    lease.release()


def test_waiting_ends_with_the_deadline(other: subprocess.Popen[bytes]) -> None:
    """The message says who holds the board; a wait given up does not take the board later."""
    before = set(threading.enumerate())
    with pytest.raises(LeaseBusy, match="other-session"):
        Lease(board(), "s", deadline=0.1)

    waiters = set(threading.enumerate()) - before
    other.kill()
    other.wait()
    for thread in waiters:
        thread.join(5)
        assert not thread.is_alive()
    assert holder(board()) is None


def test_several_boards_all_or_none(other: subprocess.Popen[bytes]) -> None:
    """When one board cannot be had, the others are given back; descriptors too."""
    before = open_below(lease_directory(board()))
    leases = Leases("s")

    with pytest.raises(LeaseBusy, match="board b1 is leased by session other-session"):
        leases.take([board("b1"), board("a0"), board("c2")], deadline=0)

    assert leases.boards == ()
    assert holder(board("a0")) is None
    assert open_below(lease_directory(board())) == before


def test_leases_of_a_session() -> None:
    """Boards are listed in identity order, given back singly and all at the end."""
    with Leases("s") as leases:
        leases.take([board("b"), board("a")], deadline=0)
        leases.take([board("c")], deadline=0)
        assert [leased.id for leased in leases.boards] == ["a", "b", "c"]
        leases.release(board("b"))
        leases.release(board("unknown"))
        assert [leased.id for leased in leases.boards] == ["a", "c"]
        assert holder(board("b")) is None

    assert holder(board("a")) is None


def test_no_child_inherits_a_lease() -> None:
    """A tool that outlives us does not keep the board."""
    lease = Lease(board(), "s", deadline=0)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lease.release()
        assert holder(board()) is None
        assert child.stdin is not None
        child.stdin.close()


def test_files_are_named_after_identities(shared_directory: Path) -> None:
    """Any identity makes a safe name, two identities never the same one, and the file stays."""
    names = {lease_file(board(name)).name for name in ("a/b", "a_b", "..", "é" * 300)}

    assert len(names) == 4
    assert all("/" not in name and len(name) < 100 and not name.startswith("..-/") for name in names)
    Lease(board("a/b"), "s", deadline=0).release()
    assert [path.name for path in shared_directory.iterdir()] == [lease_file(board("a/b")).name]


def test_the_shared_directory_is_for_all_users(shared_directory: Path) -> None:
    """Everybody may lease in it, nobody may remove what is another's."""
    Lease(board(), "s", deadline=0).release()

    assert shared_directory.stat().st_mode & 0o7777 == 0o1777
    assert lease_file(board()).stat().st_mode & 0o777 == 0o666


def test_a_virtual_board_is_leased_beside_its_bench(tmp_path: Path, shared_directory: Path) -> None:
    """Boards of two benches may have one name; their leases go with their bench."""
    one, two = tmp_path / "one" / "bench.sock", tmp_path / "two" / "bench.sock"
    one.parent.mkdir()
    two.parent.mkdir()

    Lease(board(bench=one), "s", deadline=0)
    Lease(board(bench=two), "s", deadline=0).release()

    assert lease_directory(board(bench=one)) == one.parent / "leases"
    assert lease_directory(board(bench=one)).stat().st_mode & 0o7777 == 0o700
    assert not shared_directory.exists()


def test_a_directory_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the directory and the variable."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "missing" / "leases"))

    with pytest.raises(UsageError, match=r"missing/leases: HARNESS_LEASE_DIR: .*No such file"):
        Lease(board(), "s", deadline=0)


def test_a_file_that_cannot_be_opened(shared_directory: Path, tmp_path: Path) -> None:
    """A symbolic link in a directory that everybody may write to is not followed."""
    shared_directory.mkdir()
    lease_file(board()).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RigFault, match="cannot be opened"):
        Lease(board(), "s", deadline=0)
    with pytest.raises(RigFault, match="cannot be read"):
        holder(board())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("strange", ["fifo", "directory", "second name"])
def test_a_lease_that_is_no_file_of_its_own(shared_directory: Path, tmp_path: Path, strange: str) -> None:
    """Nobody is kept waiting by a FIFO, and no file of ours is written to under a second name."""
    shared_directory.mkdir()
    mine = tmp_path / "mine"
    mine.write_text("precious")
    if strange == "fifo":
        os.mkfifo(lease_file(board()))
    elif strange == "directory":
        lease_file(board()).mkdir()
    else:
        lease_file(board()).hardlink_to(mine)
    before = open_below(lease_directory(board()))

    with pytest.raises(RigFault, match=r"b1 cannot be opened: .*\.lease: .*'harness doctor' says what to do"):
        Lease(board(), "s", deadline=0)
    if strange != "directory":  # which can be opened for reading, and is not locked
        with pytest.raises(RigFault, match="b1 cannot be read: "):
            holder(board())
    assert mine.read_text() == "precious"
    assert open_below(lease_directory(board())) == before


def test_a_lease_that_is_closed_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says whose it is and its mode, with which an administrator can help."""
    Lease(board(), "s", deadline=0).release()
    lease_file(board()).chmod(0o600)
    really_open = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:  # as for a user who is not root
        if path == lease_file(board()):
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)

    expected = rf"b1 cannot be %s: .*\.lease: Permission denied \(owner: uid {os.getuid()}, mode 0600\)"
    with pytest.raises(RigFault, match=expected % "opened"):
        Lease(board(), "s", deadline=0)
    with pytest.raises(RigFault, match=expected % "read"):
        holder(board())


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that cannot say whose it is is not taken: others would wait for nobody knows whom."""

    def fail(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    before = open_below(lease_directory(board()))
    monkeypatch.setattr(os, "pwrite", fail)

    with pytest.raises(RigFault, match=r"b1 cannot be written: .*\.lease: No space left on device"):
        Lease(board(), "s", deadline=0)

    monkeypatch.undo()
    assert open_below(lease_directory(board())) == before


def test_a_file_system_without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as what it is."""

    def fail(_descriptor: int) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("harness.inventory.locks.try_lock", fail)

    with pytest.raises(RigFault, match=r"b1 cannot be locked: .*No locks available"):
        Lease(board(), "s", deadline=0)


def test_a_test_is_part_of_the_record() -> None:
    """Whoever asks learns what the board is busy with."""
    lease = Lease(board(), "s", deadline=0)
    lease.note_test("suite.py::test_it")
    found = holder(board())
    assert found is not None
    assert found.test == "suite.py::test_it"

    with pytest.raises(LeaseBusy, match=r"board b1 \(in suite\.py::test_it\) is leased by session s of"):
        Lease(board(), "s2", deadline=0)
    lease.release()
    lease.note_test("late")


def test_a_holder_that_has_not_said_who_he_is() -> None:
    """A lock without a record is a lease all the same."""
    descriptor = open_lock_file(lease_file(board()))
    assert try_lock(descriptor)

    found = holder(board())

    assert found is not None
    assert found.session == "unknown"
    os.close(descriptor)


def test_user_ids_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run as users whom nobody has named."""

    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    lease = Lease(board(), "s", deadline=0)
    found = holder(board())
    lease.release()

    assert found is not None
    assert found.user == f"uid {os.getuid()}"


def test_the_making_of_a_lock_file_may_be_raced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the file second opens that of the first."""
    file = tmp_path / "lock"
    really_open = os.open
    rivals: list[Path] = []

    def raced(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and not rivals:
            rivals.append(file)
            file.touch()
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", raced)

    os.close(open_lock_file(file))


def test_an_abandoned_wait_gives_the_lock_back(tmp_path: Path) -> None:
    """The thread that waited in the kernel must not hold a lock that nobody knows of."""
    file = tmp_path / "lock"
    held = open_lock_file(file)
    assert try_lock(held)
    before = set(threading.enumerate())

    assert wait_for_lock(lambda: open_lock_file(file), time.monotonic() + 0.05) is None

    (waiter,) = set(threading.enumerate()) - before
    os.close(held)
    waiter.join(10)
    look = open_lock_file(file)
    assert not is_locked(look)
    os.close(look)


def test_descriptors_are_close_on_exec(tmp_path: Path) -> None:
    """A program started later has no part in the lock."""
    descriptor = open_lock_file(tmp_path / "lock")
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
