"""256 boards on one virtual bench: how long an AT command takes while eight processes ask at once.

Each client process has 32 boards and asks them in turn, one command outstanding at a time. The floor, in
the same run, is a responder without any bench: one process with an epoll loop over as many bare ptys.
``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import select
import sys
import tempfile
import time
import tty
from array import array
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.console import Console
from harness.inventory.board import Endpoint
from harness.virtual.client import BenchClient
from harness.virtual.contract import VirtualKind
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from harness.virtual.contract import BoardHost, VirtualBoardSpec

P99_TARGET_MS = 5.0
CLIENTS = 8
BOARDS_EACH = 32
DEADLINE_SECONDS = 30

TOY = VirtualKind(kind="responder", factory="bench_virtual_bench:Responder")
CONTEXT = multiprocessing.get_context("spawn")


class Responder:
    """The least board that answers AT."""

    def __init__(self, host: BoardHost, _spec: VirtualBoardSpec) -> None:
        """Keep the host."""
        self._host = host
        self._line = b""

    def power_on(self) -> None:
        """Boot in silence."""

    def power_off(self) -> None:
        """Forget what was typed."""
        self._line = b""

    def reset(self) -> None:
        """Forget what was typed."""
        self._line = b""

    def receive(self, role: str, data: bytes) -> None:
        """Answer each line."""
        *lines, self._line = (self._line + data).split(b"\r")
        for _line in lines:
            self._host.send(role, b"OK\r\n")

    def clear_faults(self) -> None:
        """There are none."""

    def describe(self) -> Mapping[str, str]:
        """There is nothing to say."""
        return {}

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Nothing can be asked."""
        raise ValueError(f"no such call: {method} {params}")

    def close(self) -> None:
        """Nothing is held."""


class Dialect:
    """AT as the console needs it."""

    def encode(self, command: str) -> bytes:
        """Return the bytes of a command."""
        return command.encode() + b"\r"

    def is_final(self, line: str) -> bool:
        """Tell the end of a reply."""
        return line in {"OK", "ERROR"}

    def is_unsolicited(self, line: str) -> bool:
        """Tell an unsolicited line."""
        return line.startswith(("+", "%"))

    def is_echo(self, line: str, command: str) -> bool:
        """Tell an echo."""
        return line == command


def raw_asker(path: str, stack: ExitStack) -> Callable[[], None]:
    """Return what sends one command and reads its reply, with nothing but the kernel."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    stack.callback(os.close, fd)
    tty.setraw(fd)
    poller = select.poll()
    poller.register(fd, select.POLLIN)

    def ask() -> None:
        os.write(fd, b"AT\r")
        reply = b""
        while not reply.endswith(b"OK\r\n"):
            assert poller.poll(DEADLINE_SECONDS * 1000), f"{path}: no reply, got {reply!r}"
            reply += os.read(fd, 4096)

    return ask


def console_asker(path: str, stack: ExitStack) -> Callable[[], None]:
    """Return what sends one command and reads its reply through the harness's console."""
    console = stack.enter_context(
        Console.open(Endpoint(role="console", url=path), name=Path(path).name, directory=None)
    )
    dialect = Dialect()
    return lambda: (console.command("AT", dialect, timeout=DEADLINE_SECONDS), None)[1]


def be_client(paths: Sequence[str], commands: int, *, console: bool, start: Barrier, out: Connection) -> None:
    """Ask the boards in turn; hand out the seconds that each command took."""
    times = array("d")
    with ExitStack() as stack:
        askers = [(console_asker if console else raw_asker)(path, stack) for path in paths]
        for ask in askers:
            ask()
        start.wait(DEADLINE_SECONDS)
        for number in range(commands):
            ask = askers[number % len(askers)]
            began = time.perf_counter()
            ask()
            times.append(time.perf_counter() - began)
    out.send_bytes(times.tobytes())


def be_floor(count: int, out: Connection) -> None:
    """Answer AT on bare ptys until the other end is closed."""
    poller = select.epoll()
    lines: dict[int, bytes] = {}
    paths = []
    for _number in range(count):
        master, slave = os.openpty()
        tty.setraw(slave)
        paths.append(os.ttyname(slave))
        poller.register(master, select.EPOLLIN)
        lines[master] = b""
    poller.register(out.fileno(), select.EPOLLIN)
    out.send(paths)
    while True:
        for fd, _events in poller.poll():
            if fd == out.fileno():
                return
            *whole, lines[fd] = (lines[fd] + os.read(fd, 4096)).split(b"\r")
            for _line in whole:
                os.write(fd, b"OK\r\n")


def measure(paths: Sequence[str], commands: int, *, console: bool) -> tuple[list[float], float]:
    """Return the sorted seconds of every command of every client, and commands a second in all."""
    start = CONTEXT.Barrier(CLIENTS + 1)
    pipes, clients = [], []
    for number in range(CLIENTS):
        here, there = CONTEXT.Pipe(duplex=False)
        client = CONTEXT.Process(
            target=be_client,
            args=(paths[number::CLIENTS], commands),
            kwargs={"console": console, "start": start, "out": there},
        )
        client.start()
        there.close()
        pipes.append(here)
        clients.append(client)
    start.wait(DEADLINE_SECONDS)
    began = time.perf_counter()
    times = array("d")
    for pipe in pipes:
        times.frombytes(pipe.recv_bytes())
    seconds = time.perf_counter() - began
    for client in clients:
        client.join()
    return sorted(times), len(times) / seconds


def measure_bench(kind: str, commands: int, *, console: bool) -> tuple[list[float], float]:
    """Measure boards of one kind on a bench of their own."""
    with tempfile.TemporaryDirectory() as name:
        boards: list[tuple[str, str | None, dict[str, Any]]] = [(kind, None, {})] * (CLIENTS * BOARDS_EACH)
        with start_bench(Path(name) / "bench", boards, extra_kinds=[TOY], deadline=120) as bench:
            with BenchClient(bench.socket) as client:
                paths = [str(state.ports["console"]) for state in client.boards()]
            return measure(paths, commands, console=console)


def measure_floor(commands: int, *, console: bool) -> tuple[list[float], float]:
    """Measure bare ptys."""
    here, there = CONTEXT.Pipe()
    floor = CONTEXT.Process(target=be_floor, args=(CLIENTS * BOARDS_EACH, there))
    floor.start()
    there.close()
    paths = here.recv()
    try:
        return measure(paths, commands, console=console)
    finally:
        here.close()
        floor.join()


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=2000, help="of each client")
    parser.add_argument("--kind", action="append", help="measure this kind too (default: nrf9151dk-virtual)")
    parser.add_argument("--console", action="store_true", help="clients use the harness's console")
    parser.add_argument("--check", action="store_true", help="exit with 1 when the target is missed")
    options = parser.parse_args()
    rows: list[tuple[str, tuple[list[float], float]]] = [
        ("bare ptys (floor)", measure_floor(options.commands, console=options.console))
    ]
    rows += [
        (kind, measure_bench(kind, options.commands, console=options.console))
        for kind in (TOY.kind, *(options.kind or ["nrf9151dk-virtual"]))
    ]
    missed = False
    print(f"{CLIENTS * BOARDS_EACH} boards, {CLIENTS} clients, {options.commands} commands each")
    print(f"{'':22}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'per s':>9}")
    for number, (name, (times, rate)) in enumerate(rows):
        p50, p99, most = (times[int(len(times) * part)] * 1000 for part in (0.5, 0.99, 0.999999))
        verdict = ""
        if number > 0:
            verdict = f"   target p99 ≤ {P99_TARGET_MS:g} ms: {'met' if p99 <= P99_TARGET_MS else 'MISSED'}"
            missed = missed or p99 > P99_TARGET_MS
        print(f"{name:22}{p50:9.2f}{p99:9.2f}{most:9.2f}{rate:9.0f}{verdict}")
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
