"""Whoever ends, in whatever way: nothing of a session stays behind, and every test is accounted for."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

MEASURED = True

SECONDS_TO_LEAVE_NOTHING = 1.0

# Each test tells its process id by a FIFO, and then waits for ever.
WAITING_SUITE = """
    import os, threading
    from pathlib import Path
    import pytest

    FIFO = Path(__file__).parent / "fifo"

    @pytest.mark.parametrize("number", range(4))
    def test_that_waits(board, toycloud, number):
        board.driver.set("dirty")
        toycloud.greet()
        with FIFO.open("w") as fifo:
            fifo.write(f"{os.getpid()} {board.id}\\n")
        threading.Event().wait()
    """


def processes_of(suite: Suite) -> dict[int, str]:
    """Return every process of the suite's sessions, by its environment: workers, bench and fakes have it."""
    mark = f"TOY_LOG={suite.log_file}\0".encode()
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (directory / "environ").read_bytes() and "Z" not in _state(directory):
                found[int(directory.name)] = (directory / "cmdline").read_bytes().decode().replace("\0", " ")
        except OSError:
            continue
    return found


def _state(directory: Path) -> str:
    return (directory / "stat").read_text().rpartition(")")[2].split()[0]


def sockets_links_and_locks(suite: Suite) -> list[str]:
    """Return what a session that lives has: sockets, links to ptys, and locks that are held."""
    left = [str(path) for path in suite.left_behind if path.is_socket() or path.is_symlink()]
    held = Path("/proc/locks").read_text().splitlines()
    inodes = {f":{path.stat().st_ino} " for path in suite.left_behind if path.is_file()}
    return left + [line for line in held if any(inode in line for inode in inodes)]


def wait_until_nothing_is_left(suite: Suite, seconds: float) -> None:
    """Wait for the end of every process of the suite, by the kernel's notice of each, then look at files."""
    end = time.monotonic() + seconds
    for pid, command in processes_of(suite).items():
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
        finally:
            os.close(descriptor)
        assert ended, f"still there after {seconds} s: {pid} {command}"
    assert sockets_links_and_locks(suite) == []


class Waiting:
    """A session whose tests have begun and wait."""

    def __init__(self, suite: Suite, *arguments: str, tests: int) -> None:
        """Start it and wait until so many tests run."""
        self.suite = suite
        fifo = suite.directory / "fifo"
        os.mkfifo(fifo)
        suite.write("test_it.py", WAITING_SUITE)
        self._fifo = os.open(fifo, os.O_RDWR)
        self.process = suite.start("--bench", "virtual", "--backend", "toycloud=fake", *arguments)
        self.running = [self.next_test() for _ in range(tests)]

    def next_test(self) -> tuple[int, str]:
        """Return process id and board of the next test that begins to wait."""
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._fifo], [], [], 30)
            if not ready:
                self.process.kill()
                pytest.fail(f"no test began:\n{self.end()}")
            line += os.read(self._fifo, 1)
        pid, board = line.decode().split()
        return int(pid), board

    def end(self) -> str:
        """Return the output when the session has ended."""
        return self.process.communicate(timeout=30)[0]

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End what still runs; a failed test leaves nothing either."""
        os.close(self._fifo)
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("arguments", "tests"),
    [(("--boards", "toy-a=1"), 1), (("-n", "auto", "--boards", "toy-a=2"), 2)],
    ids=["one-process", "workers"],
)
def test_sigkill_of_the_controller(suite: Suite, arguments: tuple[str, ...], tests: int) -> None:
    """Within a second of the controller's death no process, pty link, socket or lease is left."""
    with Waiting(suite, *arguments, tests=tests) as waiting:
        assert sockets_links_and_locks(suite), "there was something to leave behind"
        assert len(processes_of(suite)) >= 3, "bench, fake and controller at the least"

        waiting.process.kill()

        wait_until_nothing_is_left(suite, SECONDS_TO_LEAVE_NOTHING)
        waiting.end()


def test_what_a_killed_session_left_is_swept_by_the_next(suite: Suite) -> None:
    """The directory of a session that was killed is removed when another begins."""
    with Waiting(suite, "--boards", "toy-a=1", tests=1) as waiting:
        waiting.process.kill()
        waiting.end()
        wait_until_nothing_is_left(suite, 5)
        assert suite.left_behind
        suite.write("test_it.py", "def test_nothing(): ...")

        result = suite.run("--bench", "virtual")

        assert result.code == 0, result
        assert suite.left_behind == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_interruption_of_the_controller(suite: Suite, number: signal.Signals) -> None:
    """A session that is interrupted or told to end puts boards and service back, and leaves nothing."""
    with Waiting(suite, "-n", "auto", "--boards", "toy-a=2", tests=2) as waiting:
        os.kill(waiting.process.pid, number)

        out = waiting.end()
        assert waiting.process.returncode == 2, out
        assert suite.left_behind == []
        assert processes_of(suite) == {}
        boards = {board for _, board in waiting.running}
        assert {f"restore {board} dirty" for board in boards} <= set(suite.log)
        assert suite.log.count("undo") == 2
        assert "not run: 4" in out


def test_ctrl_c_reaches_workers_and_controller(suite: Suite) -> None:
    """Ctrl-C on a terminal interrupts the whole group; their clean-up is not interrupted again."""
    with Waiting(suite, "-n", "auto", "--boards", "toy-a=2", tests=2) as waiting:
        os.killpg(waiting.process.pid, signal.SIGINT)

        out = waiting.end()
        assert waiting.process.returncode == 2, out
        assert suite.left_behind == []
        assert suite.log.count("undo") == 2


def test_sigkill_of_a_worker(suite: Suite) -> None:
    """The test that ran fails, once; the board is cleaned, and its tests go on in a new worker."""
    suite.write(
        "test_it.py",
        """
        import os, signal
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(board, toycloud, number):
            assert board.driver.get() == ""
            board.driver.set(f"dirty{number}")
            print("place", toycloud.worker)
            if number == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        """,
    )

    result = suite.run(
        "--bench", "virtual", "--boards", "toy-a=1", "-n", "auto", "--backend", "toycloud=fake"
    )

    assert result.code == 1, result
    assert result.outcomes == {
        f"test_it[{number}]": "failed" if number == 2 else "passed" for number in range(6)
    }
    assert result.lines_with("crashed while running 'test_it.py::test_it[2]'")
    assert "restore toy-a-0 dirty2" in suite.log
    assert set(re.findall(r"^place (\w+)", result.out, re.MULTILINE)) == {"gw0"}, (
        "the service sees one worker"
    )
    assert suite.left_behind == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-n", "auto", "--max-worker-restart=0"), 1),
        (("-n", "auto", "-x"), 1),
        (("-n", "auto", "--maxfail=1"), 1),
        (("-x",), 1),
    ],
    ids=["no-restart", "x", "maxfail", "x-in-one-process"],
)
def test_tests_that_did_not_run_are_counted(suite: Suite, arguments: tuple[str, ...], code: int) -> None:
    """However a session stops early, it names the tests that it left out and does not pass."""
    crash = (
        "os.kill(os.getpid(), signal.SIGKILL)" if "--max-worker-restart=0" in arguments else "assert False"
    )
    suite.write(
        "test_it.py",
        f"""
        import os, signal
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(board, number):
            if number == 1:
                {crash}
        """,
    )

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", *arguments)

    ran = set(result.outcomes)
    left_out = {f"test_it[{number}]" for number in range(8)} - ran
    assert result.code == code, result
    assert len(left_out) >= 5
    assert result.lines_with(f"not run: {len(left_out)}")
    assert all(f"test_it.py::{test}" in result.out.splitlines() for test in left_out)
