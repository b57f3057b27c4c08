"""Where leases are: shared by all users where that can be had, and a warning where it cannot."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.inventory import lease_directory
from harness.inventory.board import Board
from harness.inventory.lease_directory import common_place, lease_place, make_shared, unfit_for_all
from harness.inventory.leases import Lease, Leases, lease_file

BOARD = Board(id="b1", kind="k", driver="d")


@pytest.fixture(autouse=True)
def common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host of our own: its directory of leases, and this user's runtime directory."""
    monkeypatch.delenv("HARNESS_LEASE_DIR", raising=False)
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setattr(lease_directory, "COMMON_DIRECTORY", tmp_path / "common")
    return tmp_path / "common"


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_hosts_directory_is_made(common: Path) -> None:
    """With the mode that lets everybody lease and nobody remove what is another's; without a warning."""
    place = lease_place(BOARD)

    assert (place.directory, place.warning) == (common, None)
    assert mode(common) == 0o1777
    assert [path.name for path in common.parent.iterdir()] == ["common"]


def test_it_appears_with_its_final_mode(common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks while it is being made sees nothing or all: another user's session would fall back."""
    seen = []
    really_chmod = os.chmod

    def look(path: Path, mode: int, **rest: object) -> None:
        seen.append(common.exists())
        really_chmod(path, mode)

    monkeypatch.setattr(os, "chmod", look)

    make_shared(common)

    assert seen == [False]
    assert mode(common) == 0o1777


def test_somebody_may_make_it_at_the_same_time(common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one's stays; with a lease in it, it is not replaced."""

    def race(self: Path, target: Path) -> Path:
        common.mkdir()
        common.chmod(0o1777)
        (common / "b1.lease").touch()
        self.replace(target)
        return target

    monkeypatch.setattr(Path, "rename", race)

    make_shared(common)

    assert [path.name for path in common.iterdir()] == ["b1.lease"]
    assert [path.name for path in common.parent.iterdir()] == ["common"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: (path.mkdir(), path.chmod(0o755)), "has mode 0755 instead of 1777"),
        (lambda path: (path.mkdir(), path.chmod(0o777)), "has mode 0777 instead of 1777"),
        (lambda path: (path.mkdir(), path.chmod(0o1770)), "has mode 1770 instead of 1777"),
        (lambda path: path.touch(), "is no directory"),
        (lambda path: path.symlink_to("/dev"), "is a symbolic link"),
        (lambda path: path.symlink_to("/nowhere"), "is a symbolic link"),
        (os.mkfifo, "is no directory"),
    ],
)
def test_what_is_not_fit_for_all(common: Path, tmp_path: Path, make: object, reason: str) -> None:
    """Our own directory is used then, and the warning says why, what may happen, and what mends it."""
    assert callable(make)
    make(common)
    before = mode(common)

    place = lease_place(BOARD)

    fallback = tmp_path / "runtime" / "leases"
    assert place.directory == fallback
    assert mode(fallback) == 0o700
    assert place.warning is not None
    assert f"{common} {reason}" in place.warning
    assert f"keeps its leases in {fallback}" in place.warning
    assert "they may use the same boards at the same time" in place.warning
    assert place.warning.endswith(f"sudo install -d -o root -m 1777 {common}")
    assert mode(common) == before


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left")])
def test_what_cannot_be_made(common: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """Neither a closed nor a full /run keeps a user from working alone."""
    really_mkdir = Path.mkdir

    def refuse(self: Path, **arguments: object) -> None:
        if self.parent == common.parent and self.name.startswith("."):
            raise error
        really_mkdir(self, **arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Path, "mkdir", refuse)

    place = common_place(common)

    assert place.directory.parent.name == "runtime"
    assert place.warning is not None
    assert f"cannot be made: {error.strerror}" in place.warning


def test_what_cannot_be_written_to(common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that is read-only its mode tells nothing."""
    make_shared(common)
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert unfit_for_all(common) == "cannot be written to"


def test_not_even_a_directory_of_our_own(common: Path, tmp_path: Path) -> None:
    """One message that names it."""
    common.touch()
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "leases").symlink_to("missing")

    with pytest.raises(UsageError, match=r"runtime/leases: the directory for leases cannot be made"):
        lease_place(BOARD)


def test_the_warning_is_given_once_a_session(common: Path) -> None:
    """However many boards it is about; and none where nothing is wrong."""
    boards = [BOARD, Board(id="b2", kind="k", driver="d")]
    with Leases("s") as leases:
        leases.take(boards, deadline=0)
        assert leases.warnings == ()
    common.chmod(0o755)
    with Leases("s") as leases:
        leases.take(boards, deadline=0)
        (warning,) = leases.warnings
    assert "are not shared by all users" in warning


def test_a_named_directory_is_used_as_it_is(
    common: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names a directory gets that one, and the warning if it is not for all."""
    named = tmp_path / "named"
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(named))
    assert lease_place(BOARD).warning is None
    assert mode(named) == 0o1777

    named.chmod(0o700)
    place = lease_place(BOARD)

    assert place.directory == named
    assert place.warning is not None
    assert "has mode 0700 instead of 1777" in place.warning
    assert not common.exists()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("/dev")], ids=["file", "link"])
def test_a_named_directory_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object
) -> None:
    """It is the user's mistake: one message with the file and the variable."""
    assert callable(make)
    make(tmp_path / "named")
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "named"))

    with pytest.raises(UsageError, match=r"named: HARNESS_LEASE_DIR: the directory for leases is (no|a sym)"):
        lease_place(BOARD)


def test_a_virtual_board_needs_nothing_of_the_host(common: Path, tmp_path: Path) -> None:
    """Its leases are beside the socket; a link to the socket leads to the same ones."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "control.sock").touch()
    (tmp_path / "shortcut.sock").symlink_to(tmp_path / "bench" / "control.sock")
    direct = Board(id="b", kind="k", driver="d", bench=str(tmp_path / "bench" / "control.sock"))
    linked = Board(id="b", kind="k", driver="d", bench=str(tmp_path / "shortcut.sock"))

    lease = Lease(direct, "s", deadline=0)

    assert lease_file(direct) == lease_file(linked)
    assert lease_file(direct).parent == tmp_path / "bench" / "leases"
    assert lease_place(direct).warning is None
    assert not common.exists()
    lease.release()


@pytest.mark.parametrize("there", [False, True])
def test_a_bench_that_is_gone_or_broken(tmp_path: Path, there: bool) -> None:  # noqa: FBT001 - a parameter
    """One message names the directory."""
    if there:
        (tmp_path / "leases").touch()
    socket = tmp_path / ("control.sock" if there else "missing/control.sock")

    with pytest.raises(UsageError, match=r"leases: the directory for leases (is no|cannot be made)"):
        lease_place(Board(id="b", kind="k", driver="d", bench=str(socket)))
