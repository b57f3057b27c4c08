"""One virtual board from claim to PROVISIONED, beside what its signatures, AT and HTTP exchanges must cost.

The sum is that of the run's own trace: what the driver sent, what the client exchanged, what the board's
agent logged, each at the price of its floor (``floors.py``), measured in the same rounds. The board finds its
network at once, so that nothing of the time is waiting. What counts is the median of the rounds' ratios. The
agent's AT commands are AT exchanges like the driver's; as they go over no line, the ratio is also told with
them at the price of a bare call to another thread.
``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.floors import FloorMeter, Floors
from benchmarks.provisioning import (
    Trace,
    clean_up,
    make_certificate,
    provision,
    run_traced,
    start_backend,
    start_boards,
)
from harness.backends.contract import BackendSession, Exchange
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness_nordic.client import connect
from harness_nordic.plugin import harness_introduce_board

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = 2.0


def measure(rounds: int, runs: int) -> tuple[list[Trace], Floors, list[tuple[float, float]]]:
    """Return the traces, the floors, and two ratios of each round: the second is the strict one."""
    traces: list[Trace] = []
    all_floors: list[Floors] = []
    ratios: list[tuple[float, float]] = []
    exchanges: list[Exchange] = []
    certificate = make_certificate()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        meter = stack.enter_context(FloorMeter())
        backend = start_backend(directory, stack)
        _bench, (description,) = start_boards(directory, 1, stack)
        board = LeasedBoard(description, load_plugins(), capture_directory=directory)
        stack.callback(board.close)
        session = BackendSession(run_id="bench", worker="main", on_exchange=exchanges.append)
        client = connect(backend, session)
        stack.callback(client.close)
        harness_introduce_board(board, backend)
        provision(board, client, certificate)  # warm up
        clean_up(board, client)
        for _round in range(rounds):
            here = []
            floors = meter.measure()
            for _run in range(runs):
                here.append(run_traced(board, client, exchanges, certificate))
                clean_up(board, client)
            traces += here
            all_floors.append(floors)
            ratios.append((ratio_to(here, floors), ratio_to(here, floors, strict=True)))
    return traces, median_floors(all_floors), ratios


def ratio_to(traces: Sequence[Trace], floors: Floors, *, strict: bool = False) -> float:
    """Return the median of what runs took, in sums of their traces."""
    return statistics.median(
        trace.seconds / sum(trace.floor(floors, strict=strict).values()) for trace in traces
    )


def median_floors(all_floors: Sequence[Floors]) -> Floors:
    """Return the median of every floor."""
    names = [field.name for field in fields(Floors)]
    return Floors(**{name: statistics.median(getattr(one, name) for one in all_floors) for name in names})


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=4, help="in each round")
    parser.add_argument("--check", action="store_true", help="exit with 1 when the target is missed")
    options = parser.parse_args()
    traces, floors, ratios = measure(options.rounds, options.runs)
    trace = sorted(traces, key=lambda trace: trace.seconds)[len(traces) // 2]
    parts = trace.floor(floors)
    ratio, strict = (statistics.median(column) for column in zip(*ratios, strict=True))
    met = ratio <= TARGET
    print(f"one board, claim to PROVISIONED, median of {len(traces)} runs")
    print(
        f"  ours {trace.seconds * 1000:5.1f} ms   sum of its trace {sum(parts.values()) * 1000:5.1f} ms"
        f"   ratio {ratio:.2f}   target ≤ {TARGET:g}: {'met' if met else 'MISSED'}"
    )
    print(
        f"  signatures {parts['signatures'] * 1000:5.2f} ms: {trace.signed} made, {trace.verified} verified, "
        f"{trace.keys} key pair"
    )
    print(
        f"  AT         {parts['AT'] * 1000:5.2f} ms: {trace.driver_at} of the driver, "
        f"{trace.agent_at} of the agent"
    )
    print(
        f"  HTTP       {parts['HTTP'] * 1000:5.2f} ms: {trace.client_http} of the client, "
        f"{trace.agent_http} of the agent"
    )
    print(f"  with the agent's AT at the price of a call to another thread: ratio {strict:.2f}")
    prices = ", ".join(f"{field.name} {getattr(floors, field.name) * 1e6:.0f}" for field in fields(Floors))
    print(f"  floors in µs: {prices}")
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
