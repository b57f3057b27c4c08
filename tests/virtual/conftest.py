"""A bench with toy boards for the tests of this directory."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import serial

from harness.virtual.client import BenchClient
from harness.virtual.contract import VirtualKind
from harness.virtual.launcher import RunningBench, start_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def toy_kind() -> Iterator[VirtualKind]:
    """The kind of the toys; their module can be imported while the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        yield VirtualKind(kind="toy", factory="toy_boards:make", roles=("console", "trace"))


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory, toy_kind: VirtualKind) -> Iterator[RunningBench]:
    """A bench for the tests of one module: starting one for each takes too long."""
    with start_bench(tmp_path_factory.mktemp("v") / "bench", extra_kinds=[toy_kind]) as bench:
        yield bench


@pytest.fixture
def running(shared_bench: RunningBench) -> Iterator[RunningBench]:
    """The shared bench with fresh toys ``a`` and ``b``, and no others when the test is over."""
    with BenchClient(shared_bench.socket) as client:
        client.add("toy", id="a", options={"colour": "red"})
        client.add("toy", id="b")
        yield shared_bench
        for state in client.boards():
            client.remove(state.id)


@pytest.fixture
def own_bench(tmp_path: Path, toy_kind: VirtualKind) -> Iterator[RunningBench]:
    """A bench with the toys ``a`` and ``b`` that the test may end."""
    boards: list[tuple[str, str | None, dict[str, str]]] = [("toy", "a", {}), ("toy", "b", {})]
    with start_bench(tmp_path / "bench", boards, extra_kinds=[toy_kind]) as bench:
        yield bench


@pytest.fixture
def client(running: RunningBench) -> Iterator[BenchClient]:
    """A client of the bench."""
    with BenchClient(running.socket) as client:
        yield client


@pytest.fixture
def open_port(client: BenchClient) -> Iterator[Callable[..., serial.Serial]]:
    """Open a board's port with pyserial, which shares nothing with the bench."""
    opened: list[serial.Serial] = []

    def open_port(board: str = "a", role: str = "console", timeout: float = 10.0) -> serial.Serial:
        port = serial.Serial(str(client.board(board).state().ports[role]), 115200, timeout=timeout)
        opened.append(port)
        return port

    yield open_port
    for port in opened:
        port.close()


@pytest.fixture
def ends_within() -> Callable[[int, float], bool]:
    """Tell whether a process, a child or not, ends within some seconds."""

    def ends_within(pidfd: int, seconds: float) -> bool:
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        try:
            return bool(poller.poll(seconds * 1000))
        finally:
            os.close(pidfd)

    return ends_within
