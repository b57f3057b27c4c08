"""A session's directory: private, removed at the end, and swept when its session died."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from harness import session_directory
from harness.errors import RigFault
from harness.inventory.locks import open_lock_file, try_lock
from harness.session_directory import SessionDirectory, new_run_id

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give sessions a runtime directory of their own."""
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run"


def test_private_and_removed() -> None:
    """Nobody else may look in; nothing stays; closing twice is nothing."""
    directory = SessionDirectory("r1")
    (directory.path / "captures" / "x.raw").write_bytes(b"secret")

    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in directory.path.rglob("*/"))
    directory.close()
    directory.close()
    assert not directory.path.exists()


def test_dead_sessions_are_swept_and_living_ones_are_not(runtime: Path) -> None:
    """The lock tells: free is dead. What has no lock yet cannot be alive while the guard is held."""
    living = SessionDirectory("living")
    dead = SessionDirectory("dead")
    copy = runtime / "s" / "killed"
    shutil.copytree(dead.path, copy)
    (runtime / "s" / "never-locked").mkdir()

    SessionDirectory("new").close()

    assert sorted(path.name for path in (runtime / "s").iterdir()) == ["dead", "living"]
    living.close()
    dead.close()


def test_captures_may_be_kept(tmp_path: Path) -> None:
    """With --keep-raw-console what was captured is moved out before the directory goes."""
    kept = tmp_path / "work" / "raw"
    directory = SessionDirectory("r1")
    (directory.path / "captures" / "x.raw").write_bytes(b"raw")

    directory.close(keep=kept)

    assert (kept / "x.raw").read_bytes() == b"raw"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert not directory.path.exists()
    nothing = SessionDirectory("r2")
    nothing.close(keep=tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_guard_that_is_held_for_ever(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for other sessions has a deadline, and a message that names the file."""
    runtime.mkdir()
    lock = open_lock_file(runtime / "sessions.lock")
    assert try_lock(lock)
    monkeypatch.setattr(session_directory, "_SECONDS_FOR_OTHERS", 0.05)

    with pytest.raises(RigFault, match=r"sessions.lock stayed locked by another session for 0.05 s"):
        SessionDirectory("r1")


def test_run_ids_differ() -> None:
    """Ids are short, since they are part of socket paths, and never the same."""
    ids = {new_run_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(len(run_id) == 8 for run_id in ids)
