"""The lock of a session: it lives as long as any of its processes, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.errors import RigFault
from harness.inventory.locks import share_lock
from harness.session_lock import SessionLock, is_alive, remove_locks_of_the_dead, who_began

if TYPE_CHECKING:
    from pathlib import Path

JOIN_AND_WAIT = """
import sys, threading
from harness.session_lock import SessionLock
lock = SessionLock("run", join=sys.argv[1] == "join")
print("in", flush=True)
threading.Event().wait()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sessions of these tests only."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path))
    return tmp_path


def start(what: str) -> subprocess.Popen[str]:
    """Start a process that begins or joins the session, and wait until it is in it."""
    process = subprocess.Popen([sys.executable, "-c", JOIN_AND_WAIT, what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    """Kill it and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)


def test_from_begin_to_end() -> None:
    """A session lives from its beginning to its end, and leaves no file."""
    assert not is_alive("run")
    with SessionLock("run") as lock:
        assert is_alive("run")
        holder = who_began("run")
        assert holder is not None
        assert (holder.pid, holder.session) == (os.getpid(), "run")
        lock.close()
        assert not is_alive("run")
    assert who_began("run") is None


def test_lives_with_the_last_of_its_processes() -> None:
    """A worker keeps the session alive when the controller is killed; then the worker's death ends it."""
    controller = start("begin")
    worker = start("join")
    kill(controller)
    assert is_alive("run")

    kill(worker)

    assert not is_alive("run")
    holder = who_began("run")
    assert holder is not None
    assert holder.pid == controller.pid


def test_file_of_a_session_that_left_something(state: Path) -> None:
    """Its file stays to say whose it was, and is removed when nothing of it is left any more."""
    SessionLock("kept").close(keep=True)
    SessionLock("gone").close(keep=True)
    with SessionLock("living"):
        remove_locks_of_the_dead({"kept"})

        assert sorted(file.name for file in (state / "sessions").iterdir()) == ["kept.lock", "living.lock"]
    assert who_began("kept") is not None


def test_beginning_again_when_the_file_is_taken_away(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tidies up may take the file of a session that is just being made: it is made once more."""
    tidied: list[str] = []

    def tidy_once(descriptor: int) -> None:
        if not tidied:
            remove_locks_of_the_dead()
            tidied.extend(file.name for file in (state / "sessions").iterdir())
            tidied.append("done")
        share_lock(descriptor)

    monkeypatch.setattr("harness.session_lock.share_lock", tidy_once)

    with SessionLock("run"):
        assert tidied == ["done"], "the unlocked beginning was removed"
        assert is_alive("run")
        assert [file.name for file in (state / "sessions").iterdir()] == ["run.lock"]


def test_tidying_beside_others_that_do_it() -> None:
    """A file that another one removes first is no problem, and other files are nobody's business."""
    SessionLock("gone").close(keep=True)

    remove_locks_of_the_dead()
    remove_locks_of_the_dead()

    assert who_began("gone") is None


def test_refusals(state: Path) -> None:
    """No second session of an id, none to be joined that is not there, no id that is a path."""
    with (
        SessionLock("run"),
        pytest.raises(RigFault, match=r"the lock of session run cannot be made: .*exists"),
    ):
        SessionLock("run")
    with pytest.raises(RigFault, match="session run is not there to be joined"):
        SessionLock("run", join=True)
    for name in ("../run", "", "a b"):
        with pytest.raises(RigFault, match="is no id of a session"):
            is_alive(name)
    (state / "sessions").rmdir()
    (state / "sessions").touch()
    with pytest.raises(RigFault, match="the directory for the locks of sessions cannot be made"):
        SessionLock("run")


def test_directory_that_takes_no_file(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state directory in which nothing can be made is named, and no session begins."""

    def refuse(path: object, flags: int, mode: int = 0o777) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    assert not is_alive("run")
    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(RigFault, match=rf"the lock of session run cannot be made: .*{state}"):
        SessionLock("run")


def test_forked_child_does_not_keep_it() -> None:
    """What a child inherits by a fork is closed there: it would keep a dead session alive."""
    lock = SessionLock("run")
    ready, tell = os.pipe()
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.write(tell, b"x")
        os.read(wait, 1)
        os._exit(0)
    try:
        os.read(ready, 1)
        lock.close(keep=True)
        assert not is_alive("run")
    finally:
        for descriptor in (ready, tell, wait, go):
            os.close(descriptor)
        os.waitpid(child, 0)
