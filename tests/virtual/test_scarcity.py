"""A host that has too little: no inotify, few descriptors, a reader that does not read."""

from __future__ import annotations

import logging
import os
import resource
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.virtual import bench as bench_module
from harness.virtual.bench import Bench
from harness.virtual.client import BenchClient
from harness.virtual.control_server import ControlServer
from harness.virtual.launcher import start_bench
from harness.virtual.loop import Loop
from harness.virtual.tty_watch import TtyWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import serial

    from harness.virtual.contract import VirtualKind
    from harness.virtual.wire import Request

FEW = """
import resource, sys
from pathlib import Path
from harness.errors import BenchFault
from harness.virtual.client import BenchClient
from harness.virtual.contract import VirtualKind
from harness.virtual.launcher import start_bench
sys.path.insert(0, sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
toy = VirtualKind(kind="toy", factory="toy_boards:make", roles=("console", "trace"))
with start_bench(Path(sys.argv[1]), extra_kinds=[toy]) as bench, BenchClient(bench.socket) as client:
    try:
        for number in range(20):
            client.add("toy", id=f"t{number}")
    except BenchFault as fault:
        print(fault)
    boards = client.boards()
    links = len(list((bench.directory / "dev").iterdir()))
    client.remove("t0")
    client.add("toy", id="again")
    print(links == 2 * len(boards) > 0, client.boards()[-1].id)
"""


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that runs on a thread of its own."""
    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.stop()
    thread.join()
    loop.close()


def on_loop(loop: Loop, action: Callable[[], object]) -> None:
    """Do something on the loop's thread and wait for it."""
    done = threading.Event()

    def run() -> None:
        action()
        done.set()

    loop.call_soon(run)
    assert done.wait(5)


def test_without_inotify_ports_keep_what_was_sent(
    tmp_path: Path,
    toy_kind: VirtualKind,
    loop: Loop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No inotify instance left: the log says so, and a late reader finds the board's first words."""

    def none_left() -> TtyWatch:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(bench_module, "TtyWatch", none_left)
    made: list[Bench] = []
    with caplog.at_level(logging.WARNING):
        on_loop(loop, lambda: made.append(Bench(loop, tmp_path, {"toy": toy_kind})))
    bench = made[0]
    on_loop(loop, lambda: bench.add("toy", "a", {}))
    port = os.open(tmp_path / "ttyVB0", os.O_RDWR | os.O_NOCTTY)

    assert select.select([port], [], [], 10)[0]
    assert os.read(port, 100) == b"boot\r\n"
    assert "no inotify ([Errno 24] Too many open files)" in caplog.text
    os.close(port)
    on_loop(loop, bench.close)


def test_a_tty_that_does_not_exist_cannot_be_watched() -> None:
    """The error is the operating system's own."""
    watch = TtyWatch()
    with pytest.raises(FileNotFoundError):
        watch.add("/dev/pts/none", lambda _came: None)
    watch.close()


def test_many_boards_under_the_usual_limit(tmp_path: Path, toy_kind: VirtualKind) -> None:
    """The bench raises its own limit of descriptors: a soft limit of 64 does not stop 40 boards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        boards: list[tuple[str, str | None, dict[str, str]]] = [("toy", None, {})] * 40
        with (
            start_bench(tmp_path / "bench", boards, extra_kinds=[toy_kind]) as bench,
            BenchClient(bench.socket) as client,
        ):
            assert len(client.boards()) == 40
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_descriptor_left_for_another_board(tmp_path: Path) -> None:
    """The fault says which board got no pty; those that are there stay whole, and room can be made."""
    done = subprocess.run(
        [sys.executable, "-c", FEW, str(tmp_path / "bench"), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stderr == ""
    fault, rest = done.stdout.splitlines()
    assert fault.startswith("no pty for board t")
    assert rest == "True again"


def test_a_reader_that_does_not_read(client: BenchClient, open_port: Callable[..., serial.Serial]) -> None:
    """What waits is bounded: of eight megabytes it gets four and what the pty holds, then fresh bytes."""
    port = open_port(timeout=60)
    for _ in range(8):
        port.write(b"big\r")
        client.board("a").state()
    assert len(port.read(4 * 1024 * 1024)) == 4 * 1024 * 1024
    port.write(b"AT\r")
    rest = port.read_until(b"AT\r\nOK\r\n")
    assert rest.endswith(b"AT\r\nOK\r\n")
    assert len(rest) < 1024 * 1024


class BrokenMethods:
    """Fails in a way that nobody foresaw."""

    def perform(
        self, request: Request, done: Callable[[object], None], failed: Callable[[Exception], None]
    ) -> None:
        """Fail."""
        failed(KeyError(request.method))


def test_a_defect_of_the_bench_is_told_and_logged(
    tmp_path: Path, loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw reaches the caller with a pointer to the log, and ends nothing."""
    made: list[ControlServer] = []
    path = tmp_path / "c.sock"
    on_loop(loop, lambda: made.append(ControlServer(loop, path, BrokenMethods())))  # type: ignore[arg-type]  # a stand-in
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(5)
        peer.connect(str(path))
        for _ in range(2):
            peer.sendall(b'{"id":1,"method":"odd"}\n')
            answer = peer.recv(1000)
            assert answer == b'{"id":1,"error":"odd: KeyError: \'odd\' (see bench.log)","fault":"bench"}\n'
    on_loop(loop, made[0].close)

    assert "request 'odd' failed" in caplog.text
    assert not path.exists()
