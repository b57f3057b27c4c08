"""64 virtual boards provisioned at once, from claim to PROVISIONED, beside what their signatures alone cost.

Four client processes of sixteen threads provision them, each board with a client and a team of its own, on
one bench and one fake. The signature bound, in the same run, is what the same signatures, verifications and
new keys take two processes that do nothing else. There is no target; the processor time says who spends it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.floors import CURVE, ES256
from benchmarks.provisioning import (
    DEADLINE_SECONDS,
    Trace,
    clean_up,
    make_certificate,
    provision,
    run_traced,
    start_backend,
    start_boards,
)
from harness.backends.contract import BackendSession
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness_nordic.client import NrfCloudClient, connect
from harness_nordic.plugin import harness_introduce_board

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from harness.backends.contract import Backend, Exchange
    from harness.inventory.board import Board

BOARDS = 64
PROCESSES = 4
PROCESSORS = 2
CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Crowd:
    """One round: wall time, and processor time by process."""

    seconds: float
    spent: dict[str, float]


class Runner:
    """Provisions some boards at once, a thread each."""

    def __init__(self, pairs: Sequence[tuple[LeasedBoard, NrfCloudClient]]) -> None:
        """Hold the boards, each with its client."""
        self._pairs = pairs
        self._certificate = make_certificate()
        self._gate = threading.Barrier(len(pairs) + 1)
        self._failed: list[BaseException] = []

    def run(self, start: Barrier) -> tuple[float, float]:
        """Provision all of them; return when the last was done, and the processor time that it took."""
        threads = [threading.Thread(target=self._work, args=pair) for pair in self._pairs]
        for thread in threads:
            thread.start()
        start.wait(DEADLINE_SECONDS)
        spent = time.process_time()
        self._gate.wait(DEADLINE_SECONDS)
        for thread in threads:
            thread.join()
        done = time.perf_counter(), time.process_time() - spent
        if self._failed:
            raise self._failed[0]
        return done

    def _work(self, board: LeasedBoard, client: NrfCloudClient) -> None:
        self._gate.wait(DEADLINE_SECONDS)
        try:
            provision(board, client, self._certificate)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._failed.append(error)


def be_client(
    backend: Backend, boards: Sequence[Board], start: Barrier, rounds: int, out: Connection
) -> None:
    """Provision boards whenever all processes are ready; tell what each round took."""
    plugins = load_plugins()
    with ExitStack() as stack:
        pairs = []
        for description in boards:
            board = LeasedBoard(description, plugins, capture_directory=None)
            stack.callback(board.close)
            client = connect(backend, BackendSession(run_id="bench", worker=description.id))
            stack.callback(client.close)
            harness_introduce_board(board, backend)
            assert board.driver.health()
            pairs.append((board, client))
        runner = Runner(pairs)
        for _round in range(rounds):
            out.send(runner.run(start))
            for board, client in pairs:
                clean_up(board, client)


def processor_seconds(pid: int) -> float:
    """Return what a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


def measure(rounds: int) -> tuple[list[Crowd], Trace]:
    """Provision all boards at once, several times, and one of them alone."""
    crowds = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = start_backend(directory, stack)
        assert backend.pid is not None
        bench, boards = start_boards(directory, BOARDS, stack)
        trace = trace_one(backend, boards[0])
        start = CONTEXT.Barrier(PROCESSES + 1)
        pipes = []
        for number in range(PROCESSES):
            here, there = CONTEXT.Pipe(duplex=False)
            arguments = (backend, boards[number::PROCESSES], start, rounds, there)
            client = CONTEXT.Process(target=be_client, args=arguments)
            client.start()
            stack.callback(client.join)
            there.close()
            pipes.append(here)
        servers = {"bench": bench.pid, "fake": backend.pid}
        for _round in range(rounds):
            start.wait(DEADLINE_SECONDS)
            started = time.perf_counter()
            before = {name: processor_seconds(pid) for name, pid in servers.items()}
            told = [pipe.recv() for pipe in pipes]
            spent = {name: processor_seconds(pid) - before[name] for name, pid in servers.items()}
            spent["clients"] = sum(seconds for _end, seconds in told)
            crowds.append(Crowd(max(end for end, _seconds in told) - started, spent))
    return crowds, trace


def trace_one(backend: Backend, description: Board) -> Trace:
    """Count what a board does."""
    exchanges: list[Exchange] = []
    with ExitStack() as stack:
        board = LeasedBoard(description, load_plugins(), capture_directory=None)
        stack.callback(board.close)
        session = BackendSession(run_id="bench", worker="main", on_exchange=exchanges.append)
        client = connect(backend, session)
        stack.callback(client.close)
        harness_introduce_board(board, backend)
        trace = run_traced(board, client, exchanges, make_certificate())
        clean_up(board, client)
    return trace


def sign_for_boards(count: int, trace: Trace, start: Barrier, out: Connection) -> None:
    """Do nothing but the signatures of some boards."""
    key = ec.generate_private_key(CURVE)
    public, data = key.public_key(), b"x" * 300
    signature = key.sign(data, ES256)
    start.wait(DEADLINE_SECONDS)
    for _board in range(count):
        for _number in range(trace.signed):
            key.sign(data, ES256)
        for _number in range(trace.verified):
            public.verify(signature, data, ES256)
        for _number in range(trace.keys):
            ec.generate_private_key(CURVE)
    out.send(time.perf_counter())


def signature_bound(trace: Trace, boards: int = 4000) -> float:
    """Return the boards a second that two processes could sign and verify for."""
    start = CONTEXT.Barrier(PROCESSORS + 1)
    pipes, processes = [], []
    for _number in range(PROCESSORS):
        here, there = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=sign_for_boards, args=(boards // PROCESSORS, trace, start, there))
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)
    start.wait(DEADLINE_SECONDS)
    started = time.perf_counter()
    last: float = max(pipe.recv() for pipe in pipes)
    for process in processes:
        process.join()
    return boards / (last - started)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    crowds, trace = measure(options.rounds)
    bound = signature_bound(trace)
    rate = statistics.median(BOARDS / crowd.seconds for crowd in crowds)
    print(
        f"{BOARDS} boards at once, {PROCESSES} client processes, median of {len(crowds)} rounds: "
        f"{rate:.0f} boards/s   signature bound on {PROCESSORS} processors {bound:.0f} boards/s   "
        f"ratio {rate / bound:.3f}"
    )
    spent = {
        name: statistics.median(crowd.spent[name] for crowd in crowds) / BOARDS * 1000
        for name in crowds[0].spent
    }
    print(
        f"  processor time of a board: {', '.join(f'{name} {each:.1f} ms' for name, each in spent.items())}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
