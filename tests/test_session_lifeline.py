"""The lifeline: whoever watches it ends with the controller, whenever it begins to watch."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.session_lifeline import EXIT_ORPHANED, Lifeline

if TYPE_CHECKING:
    from pathlib import Path

WATCHER = """
import sys, threading
from pathlib import Path
from harness.session_lifeline import watch_lifeline

try:
    watch_lifeline(Path(sys.argv[1]), lambda: Path(sys.argv[2]).touch())
    print("watching", flush=True)
    threading.Event().wait()
finally:
    print("finally", flush=True)
"""


def watcher(lifeline: Path, trace: Path) -> subprocess.Popen[str]:
    """Start a process that watches."""
    return subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(lifeline), str(trace)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("watchers", [1, 3])
def test_watchers_end_when_the_lifeline_is_closed(tmp_path: Path, watchers: int) -> None:
    """All of them, at once, after their clean-up and without running anything else."""
    lifeline = Lifeline(tmp_path / "lifeline")
    processes = [watcher(lifeline.path, tmp_path / f"trace{number}") for number in range(watchers)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"

    lifeline.close()
    lifeline.close()

    for number, process in enumerate(processes):
        out, _ = process.communicate(timeout=10)
        assert process.returncode == EXIT_ORPHANED
        assert out == ""
        assert (tmp_path / f"trace{number}").exists()
    assert not lifeline.path.exists()


@pytest.mark.parametrize("leaves_the_file", [False, True])
def test_watching_a_session_that_has_ended(tmp_path: Path, *, leaves_the_file: bool) -> None:
    """A worker that comes too late to see its controller die ends all the same."""
    lifeline = Lifeline(tmp_path / "lifeline")
    lifeline.close()
    if leaves_the_file:  # as after SIGKILL: a FIFO that nobody holds
        import os

        os.mkfifo(tmp_path / "lifeline")

    with watcher(tmp_path / "lifeline", tmp_path / "trace") as process:
        process.communicate(timeout=10)

    assert process.returncode == EXIT_ORPHANED
    assert (tmp_path / "trace").exists()


def test_no_child_holds_the_lifeline(tmp_path: Path) -> None:
    """A tool that outlives the controller does not keep the others alive."""
    lifeline = Lifeline(tmp_path / "lifeline")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        process = watcher(lifeline.path, tmp_path / "trace")
        assert process.stdout is not None
        process.stdout.readline()
        lifeline.close()
        process.communicate(timeout=10)
        assert process.returncode == EXIT_ORPHANED
        assert child.poll() is None
        assert child.stdin is not None
        child.stdin.close()
