"""How a bench begins and ends, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import BenchFault, UsageError
from harness.virtual import launcher
from harness.virtual.client import BenchClient
from harness.virtual.contract import VirtualKind
from harness.virtual.launcher import RunningBench, start_bench

if TYPE_CHECKING:
    from collections.abc import Callable

    EndsWithin = Callable[[int, float], bool]

STARTER = """
import sys
from pathlib import Path
from harness.virtual.contract import VirtualKind
from harness.virtual.launcher import start_bench
sys.path.insert(0, sys.argv[2])
toy = VirtualKind(kind="toy", factory="toy_boards:make")
with start_bench(Path(sys.argv[1]), [("toy", "a", {}), ("toy", "b", {})], extra_kinds=[toy]) as bench:
    print(bench.pid, flush=True)
    sys.stdin.read()
"""


def start_starter(directory: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a process that starts a bench; return it and the bench's pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(directory), str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def run_daemon(directory: Path, *more: str, lifeline: str = "0") -> subprocess.CompletedProcess[str]:
    """Run the daemon by hand until it ends; its lifeline is a pipe that ends at once."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "harness.virtual.daemon", "--directory", str(directory)),
            *("--lifeline", lifeline, *more),
        ],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_killed_starter_takes_the_bench_with_it(tmp_path: Path, ends_within: EndsWithin) -> None:
    """After SIGKILL of the session there is soon no process, link, socket or directory."""
    directory = tmp_path / "made" / "bench"
    starter, pid = start_starter(directory)
    bench = os.pidfd_open(pid)
    assert len(list((directory / "dev").iterdir())) == 2
    starter.kill()

    assert ends_within(bench, 5.0)
    assert not (tmp_path / "made").exists()
    starter.communicate()


def test_a_starter_that_closes_leaves_nothing(tmp_path: Path) -> None:
    """The ordinary end: everything the bench made is gone, its exit code is 0."""
    starter, _ = start_starter(tmp_path / "bench")
    starter.communicate("")

    assert starter.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_close_returns_when_all_is_gone(own_bench: RunningBench) -> None:
    """After ``close`` there is no process and no directory; closing twice does no harm."""
    assert own_bench.exit_code is None
    own_bench.close()
    own_bench.close()

    assert own_bench.exit_code == 0
    assert not own_bench.directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(own_bench.pid, 0)


def test_leases_of_its_boards_go_with_the_bench(own_bench: RunningBench) -> None:
    """What sessions that were attached left beside the socket is gone too: its boards are."""
    leases = own_bench.directory / "leases"
    (leases / "toy-0.lease").write_text("{}")

    own_bench.close()

    assert not own_bench.directory.exists()


def test_a_directory_that_was_there_stays_with_its_log(tmp_path: Path, toy_kind: VirtualKind) -> None:
    """Links, sockets and our own directories go; the log in somebody else's directory stays as evidence."""
    (tmp_path / "evidence").write_text("mine")
    with start_bench(tmp_path, [("toy", "a", {})], extra_kinds=[toy_kind]):
        pass

    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.log", "evidence"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(own_bench: RunningBench, number: signal.Signals) -> None:
    """SIGTERM and SIGINT: exit code 0, nothing left."""
    os.kill(own_bench.pid, number)

    assert own_bench.wait(10)
    assert own_bench.exit_code == 0
    assert not own_bench.directory.exists()


def test_a_client_may_end_it(own_bench: RunningBench) -> None:
    """``shutdown`` is answered, then the bench ends."""
    with BenchClient(own_bench.socket) as client:
        client.shutdown()

    assert own_bench.wait(10)
    assert own_bench.exit_code == 0
    assert not own_bench.directory.exists()


def test_a_fifo_as_lifeline(tmp_path: Path, toy_kind: VirtualKind) -> None:
    """Several processes may watch one FIFO; bytes on it mean nothing, its end is the end."""
    fifo = tmp_path / "lifeline"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    holder = os.open(fifo, os.O_WRONLY)
    os.close(reader)
    with start_bench(tmp_path / "bench", [("toy", "a", {})], lifeline=fifo, extra_kinds=[toy_kind]) as bench:
        os.write(holder, b"noise")
        with BenchClient(bench.socket) as client:
            assert [state.id for state in client.boards()] == ["a"]
        os.close(holder)
        assert bench.wait(10)
        assert not bench.directory.exists()


def test_a_pipe_as_lifeline(tmp_path: Path, toy_kind: VirtualKind) -> None:
    """The read end of a pipe of the caller's; ``close`` ends the bench while the pipe stays open."""
    read, write = os.pipe()
    with start_bench(tmp_path / "one", lifeline=read, extra_kinds=[toy_kind]) as bench:
        pass
    assert bench.exit_code == 0
    with start_bench(tmp_path / "two", lifeline=read, extra_kinds=[toy_kind]) as bench:
        os.close(write)
        assert bench.wait(10)
    os.close(read)

    assert list(tmp_path.iterdir()) == []


def test_a_board_that_blocks_the_loop_does_not_outlive_the_session(
    tmp_path: Path, ends_within: EndsWithin
) -> None:
    """The end is enforced: process, links and socket go though the loop hangs in a board."""
    directory = tmp_path / "bench"
    starter, pid = start_starter(directory)
    bench = os.pidfd_open(pid)
    port = os.open(directory / "dev" / "ttyVB0", os.O_RDWR | os.O_NOCTTY)
    os.write(port, b"before\r")
    assert select.select([port], [], [], 10)[0]
    os.write(port, b"hang\r")
    # A bench that is only slow answers in that time.
    with BenchClient(directory / "control.sock", deadline=2) as client, suppress(BenchFault):
        while True:
            client.boards()
    starter.kill()

    assert ends_within(bench, 10.0)
    assert not (directory / "dev").exists()
    assert not (directory / "control.sock").exists()
    assert "a board blocks it" in (directory / "bench.log").read_text()
    os.close(port)
    starter.communicate()


def test_a_killed_bench_is_swept(own_bench: RunningBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that was killed leaves links and socket; whoever closes it removes them."""
    os.kill(own_bench.pid, signal.SIGKILL)
    assert own_bench.wait(10)
    assert (own_bench.directory / "dev" / "ttyVB0").is_symlink()
    own_bench.close()

    assert own_bench.exit_code == -signal.SIGKILL
    assert [path.name for path in own_bench.directory.iterdir()] == ["bench.log"]


def test_a_bench_that_does_not_end_is_killed(
    own_bench: RunningBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``close`` has a deadline."""
    monkeypatch.setattr(launcher, "CLOSE_SECONDS", 0.2)
    os.kill(own_bench.pid, signal.SIGSTOP)
    own_bench.close()

    assert own_bench.exit_code == -signal.SIGKILL
    assert not (own_bench.directory / "dev").exists()


def test_leftovers_of_a_killed_bench_are_no_obstacle(tmp_path: Path, toy_kind: VirtualKind) -> None:
    """A new bench takes over the directory: stale links and socket are gone."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "ttyVB7").symlink_to("/dev/pts/none")
    (tmp_path / "control.sock").touch()
    with start_bench(tmp_path, [("toy", "a", {})], extra_kinds=[toy_kind]) as bench:
        assert [link.name for link in sorted((tmp_path / "dev").iterdir())] == ["ttyVB0", "ttyVB1"]
        assert bench.socket.is_socket()


def test_one_bench_a_directory(own_bench: RunningBench, toy_kind: VirtualKind) -> None:
    """A second bench in a directory is refused and does the first no harm."""
    with pytest.raises(UsageError, match=r"--directory: another bench runs there"):
        start_bench(own_bench.directory, extra_kinds=[toy_kind])
    with BenchClient(own_bench.socket) as client:
        assert len(client.boards()) == 2
        assert all(os.path.lexists(path) for state in client.boards() for path in state.ports.values())


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (
            VirtualKind(kind="toy", factory="toy_boards:none"),
            r"cannot load 'toy_boards:none': .*module:attribute",
        ),
        (VirtualKind(kind="toy", factory="no_such_module:make"), r"cannot load 'no_such_module:make'"),
        (
            VirtualKind(kind="other", factory="toy_boards:make"),
            r"kind: no plugin gives this kind .*'toy'.*other",
        ),
    ],
)
def test_a_wrong_kind_is_a_usage_error(
    tmp_path: Path, toy_kind: VirtualKind, kind: VirtualKind, problem: str
) -> None:
    """A factory that is missing and a kind that is not known end the start with one message."""
    with pytest.raises(UsageError, match=problem):
        start_bench(tmp_path / "bench", [("toy", None, {})], extra_kinds=[kind])
    assert list(tmp_path.iterdir()) == []


def test_a_kind_given_twice(tmp_path: Path, toy_kind: VirtualKind) -> None:
    """Two factories for one kind are an error that names both."""
    other = VirtualKind(kind="toy", factory="elsewhere:make")
    with pytest.raises(
        UsageError, match=r"kind 'toy' is given twice, by 'toy_boards:make' and 'elsewhere:make'"
    ):
        start_bench(tmp_path / "bench", extra_kinds=[toy_kind, other])
    assert list(tmp_path.iterdir()) == []


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    """The message says how long it is and how long it may be."""
    directory = tmp_path / ("d" * 100)
    with pytest.raises(
        UsageError, match=r"a path of \d+ bytes is too long for a socket; expected at most 107"
    ):
        start_bench(directory)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    """A file where the directory should be is named."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--directory: cannot be used: .*got '.*/file'"):
        start_bench(tmp_path / "file")


def test_a_plugin_that_fails_is_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the daemon cannot load is told to whoever started it."""
    monkeypatch.setenv("HARNESS_PLUGINS", "no_such_plugin_at_all")
    with pytest.raises(UsageError, match=r"HARNESS_PLUGINS: plugins: cannot import: .*no_such_plugin_at_all"):
        start_bench(tmp_path / "bench")


def test_a_daemon_that_dies_at_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault has the exit code and the daemon's last words."""
    (tmp_path / "dying.py").write_text("import os\nos.write(2, b'my last words')\nos._exit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("HARNESS_PLUGINS", "dying")
    with pytest.raises(
        BenchFault, match=r"died while it started \(exit code 3\); its last words:\nmy last words"
    ):
        start_bench(tmp_path / "bench")


def test_a_daemon_that_is_not_ready_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start has a deadline, and the daemon is gone after it."""
    (tmp_path / "slow.py").write_text("import threading\nthreading.Event().wait(30)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("HARNESS_PLUGINS", "slow")
    with pytest.raises(BenchFault, match=r"not ready within 0\.3 s"):
        start_bench(tmp_path / "bench", deadline=0.3)
    assert not (tmp_path / "bench").exists()


def test_by_hand_the_daemon_ends_with_its_standard_input(tmp_path: Path) -> None:
    """``--lifeline 0`` is standard input; without ``--ready`` nobody is told anything."""
    done = run_daemon(tmp_path / "bench")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lifeline", "more", "problem"),
    [
        ("77", [], "harness: --lifeline: no open descriptor (got '77')\n"),
        ("/nowhere/fifo", [], "harness: --lifeline: cannot be opened: No such file or directory (got '/now"),
        ("/dev/null", [], "harness: --lifeline: nobody holds the other end (got '/dev/null')\n"),
        ("0", ["--kinds", "[1]"], "harness: --kinds: not a list of kinds: "),
        ("0", ["--kinds", "nonsense"], "harness: --kinds: not a list of kinds: Expecting value"),
        ("0", ["--kinds", '[{"kind": "x", "roles": []}]'], "harness: --kinds: not a list of kinds: "),
    ],
)
def test_by_hand_a_wrong_start_is_one_line(
    tmp_path: Path, lifeline: str, more: list[str], problem: str
) -> None:
    """Wrong options: one message without a traceback, exit code 4, nothing made."""
    done = run_daemon(tmp_path / "bench", *more, lifeline=lifeline)

    assert done.returncode == 4
    assert done.stderr.startswith(problem)
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_abandoned_fifo_is_refused(tmp_path: Path) -> None:
    """A FIFO whose holder died before the daemon came would never end: it is refused at once."""
    os.mkfifo(tmp_path / "fifo")
    done = run_daemon(tmp_path / "bench", lifeline=str(tmp_path / "fifo"))

    assert (done.returncode, "nobody holds the other end" in done.stderr) == (4, True)


def test_the_ready_line(tmp_path: Path) -> None:
    """Whoever starts the daemon by hand reads where it is."""
    read, write = os.pipe()
    lifeline, hold = os.pipe()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "harness.virtual.daemon", "--directory", str(tmp_path / "bench")),
            *("--lifeline", str(lifeline), "--ready", str(write)),
        ],
        pass_fds=[lifeline, write],
    ) as process:
        os.close(write)
        with os.fdopen(read) as ready:
            message = json.loads(ready.read())
        os.close(hold)
    os.close(lifeline)

    assert message == {"socket": str(tmp_path / "bench" / "control.sock"), "pid": process.pid, "usb": {}}
    assert process.returncode == 0
