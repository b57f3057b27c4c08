"""The scheduler alone, with a virtual clock: farms of 10 to 10,000 boards, up to a million tests.

Each case runs in a process of its own, so that its peak of memory is its own. A decision is one completion
and the orders that follow from it. Times are measured on whatever else this machine does; ``--check`` makes a
missed target an error, ``--quick`` leaves out the largest farms, ``--plot FILE`` draws what was found.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.sim_plot import draw
from benchmarks.sim_shapes import SHAPES, make
from benchmarks.sim_world import World
from harness.scheduling.bound import lower_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

MICROSECONDS, GROWTH, GIBIBYTES = 50.0, 1.5, 2.0
#: Boards and tests of each size.
SIZES = [(10, 500), (100, 5_000), (1_000, 50_000), (10_000, 300_000)]
#: Where the cost of a decision is compared: as many boards, a hundred times the tests.
FEW, MANY = (1_000, 10_000), (1_000, 1_000_000)
QUICK_TESTS = 50_000


def run(shape: str, boards: int, tests: int) -> dict[str, Any]:
    """Run one case."""
    case = make(shape, boards, tests)
    began = time.perf_counter()
    outcome = World(case.work, case.kinds, lambda index, _: case.seconds[index], case.events, case.fits).run()
    real = time.perf_counter() - began
    exact = [
        type(one)(boards=one.boards, count=one.count, seconds=seconds)
        for one, seconds in zip(case.work, case.seconds, strict=True)
    ]
    decisions = sorted(outcome.decisions)
    return {
        "shape": shape,
        "boards": boards,
        "tests": tests,
        "ratio": outcome.makespan / lower_bound(exact, case.kinds, width=False),
        "target": case.target,
        "median": statistics.median(decisions) * 1e6,
        "p99": decisions[int(len(decisions) * 0.99)] * 1e6,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "real": real,
    }


def run_apart(shape: str, boards: int, tests: int) -> dict[str, Any]:
    """Run one case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.farm_sim", "--case", shape, str(boards), str(tests)]
    place = Path(__file__).parent.parent
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=place)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all cases and say what missed its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="make a missed target an error")
    parser.add_argument("--quick", action="store_true", help=f"up to {QUICK_TESTS:,} tests")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw what was found as SVG")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.case:
        shape, boards, tests = options.case
        print(json.dumps(run(shape, int(boards), int(tests))))
        return 0
    cases = [(shape, *size) for shape in SHAPES for size in SIZES]
    cases += [("flexible", *FEW), ("flexible", *MANY)]
    if options.quick:
        cases = [case for case in cases if case[2] <= QUICK_TESTS]
    print(
        f"{'shape':20} {'boards':>7} {'tests':>10} {'makespan/bound':>15} {'median us':>10} {'p99 us':>8} GiB"
    )
    rows = []
    for case in cases:
        row = run_apart(*case)
        rows.append(row)
        print(
            f"{row['shape']:20} {row['boards']:7,} {row['tests']:10,} {row['ratio']:15.3f} "
            f"{row['median']:10.1f} {row['p99']:8.0f} {row['memory']:.2f}",
            flush=True,
        )
    if options.plot:
        options.plot.write_text(draw(rows), encoding="utf-8")
    missed = judge(rows)
    return 1 if options.check and missed else 0


def judge(rows: Sequence[dict[str, Any]]) -> int:
    """Print what was aimed at and what came of it; return how much was missed."""
    verdicts = []
    for target in sorted({row["target"] for row in rows if row["target"] is not None}):
        worst = max(row["ratio"] for row in rows if row["target"] == target)
        names = ", ".join(shape for shape, own in SHAPES.items() if own.target == target)
        verdicts.append((f"makespan / bound ({names})", worst, target))
    largest = max(row["boards"] for row in rows)
    median = max(row["median"] for row in rows if row["boards"] == largest)
    verdicts.append((f"us a decision, median, {largest:,} boards", median, MICROSECONDS))
    by_size = {(row["boards"], row["tests"]): row["median"] for row in rows if row["shape"] == "flexible"}
    if MANY in by_size:
        verdicts.append(("median at 1,000,000 tests / at 10,000", by_size[MANY] / by_size[FEW], GROWTH))
    verdicts.append(("GiB, peak", max(row["memory"] for row in rows), GIBIBYTES))
    missed = 0
    for what, found, target in verdicts:
        missed += found > target
        print(f"{'missed' if found > target else 'ok':7} {what}: {found:.3f}, target <= {target:g}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
