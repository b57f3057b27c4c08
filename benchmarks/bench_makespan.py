"""Eight boards under xdist: from the first start to the last end, over the least that anybody could need.

The same tests run under the harness's scheduler and under three of xdist's own, in this order and in this
run. Tests only sleep; those of the harness sleep with boards of a virtual bench that were lent to them, those
of xdist with lock files, since xdist's schedulers know no boards: a test takes free ones of its kinds by
flock, and waits for them if need be. The harness runs the tests twice: without and with durations of an
earlier run. The time is that between the beginning of the first test's set-up and the end of the last test's
tear-down. ``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.farm_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.farm_shapes import Shape

RUN_SECONDS = 300.0
QUIET = (
    "randomly",
    "cacheprovider",
    "pytest_cov",
    "hypothesispytest",
    "anyio",
    "allure_pytest",
    "timeout",
    "rerunfailures",
)
OTHERS = ("load", "worksteal", "loadgroup")
FIRST, AGAIN = "harness, no durations known", "harness, durations known"

_SUITE = """
import json, os, time
from pathlib import Path
import pytest

PLAN = json.loads((Path(__file__).parent / "plan.json").read_text())
LOG = os.open(Path(__file__).parent / "log", os.O_APPEND | os.O_WRONLY | os.O_CREAT)


def marker(arguments):
    needs = {"needs": set(arguments["needs"])} if "needs" in arguments else {}
    return pytest.mark.board(**{**arguments, **needs})


def parameters(several):
    return [
        pytest.param(
            test["seconds"],
            id=str(number),
            marks=[marker(test["marker"]), pytest.mark.xdist_group("-".join(test["kinds"]))],
        )
        for number, test in enumerate(PLAN["tests"])
        if (test["count"] > 1) == several
    ]


def sleep(boards, seconds):
    begin = time.monotonic()
    time.sleep(seconds)
    line = json.dumps({"boards": [board.id for board in boards], "begin": begin, "end": time.monotonic()})
    os.write(LOG, (line + "\\n").encode())


@pytest.mark.parametrize("seconds", parameters(several=False))
def test_one(board, seconds):
    sleep([board], seconds)


if parameters(several=True):

    @pytest.mark.parametrize("seconds", parameters(several=True))
    def test_several(boards, seconds):
        sleep(boards, seconds)
"""
_CONFTEST = """
import json, os, time
from pathlib import Path
import pytest

LOG = os.open(Path(__file__).parent / "spans", os.O_APPEND | os.O_WRONLY | os.O_CREAT)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    begin = time.monotonic()
    try:
        return (yield)
    finally:
        os.write(LOG, f"{begin} {time.monotonic()}\\n".encode())
"""
_FLOCK = '''
import fcntl
from contextlib import ExitStack
from types import SimpleNamespace

PLAN = json.loads((Path(__file__).parent / "plan.json").read_text())


def pytest_configure(config):
    config.addinivalue_line("markers", "board: what a test needs")


def take(kinds, count, stack):
    """Lock free boards of these kinds, all or none."""
    taken = []
    names = [f"{kind}-{number}" for kind in kinds for number in range(PLAN["boards"][kind])]
    with ExitStack() as mine:
        for name in names:
            file = mine.enter_context((Path(__file__).parent / name).open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            taken.append(SimpleNamespace(id=name))
            if len(taken) == count:
                stack.enter_context(mine.pop_all())
                return taken
    return None


@pytest.fixture
def boards(request):
    test = PLAN["tests"][int(request.node.callspec.id)]
    with ExitStack() as stack:
        while (taken := take(test["kinds"], test["count"], stack)) is None:
            time.sleep(0.002)
        yield taken


@pytest.fixture
def board(boards):
    return boards[0]
'''


@dataclass(frozen=True)
class Run:
    """One run of the tests.

    :ivar makespan: seconds from the first start to the last end.
    :ivar between: median of the seconds that a board was in no test, between two of its tests.
    :ivar problem: what was wrong with it, if anything was.
    """

    makespan: float
    between: float = 0.0
    problem: str = ""


class Farm:
    """A directory in which the tests of a shape are run."""

    def __init__(self, shape: Shape, directory: Path) -> None:
        """Write the tests."""
        self._shape = shape
        self._directory = directory
        plan = {
            "boards": dict(shape.boards),
            "tests": [
                {
                    "seconds": test.seconds,
                    "marker": {key: _plain(value) for key, value in test.need.marker.items()},
                    "kinds": sorted(test.need.kinds),
                    "count": test.need.count,
                }
                for test in shape.tests
            ],
        }
        (directory / "plan.json").write_text(json.dumps(plan))
        (directory / "test_it.py").write_text(_SUITE)
        (directory / "pytest.ini").write_text("[pytest]\n")

    @property
    def _workers(self) -> str:
        return str(sum(self._shape.boards.values()))

    def run_harness(self) -> Run:
        """Run the tests on boards."""
        (self._directory / "conftest.py").write_text(_CONFTEST)
        boards = ",".join(f"{kind}={number}" for kind, number in self._shape.boards.items())
        history = str(self._directory / "history.sqlite")
        return self._run("--bench", "virtual", "--boards", boards, "--strict-boards", "--history", history)

    def run_other(self, dist: str) -> Run:
        """Run the tests under a scheduler of xdist's, with a lock file for each board."""
        (self._directory / "conftest.py").write_text(_CONFTEST + _FLOCK)
        return self._run("-p", "no:harness", "--dist", dist)

    def _run(self, *options: str) -> Run:
        for name in ("log", "spans"):
            (self._directory / name).unlink(missing_ok=True)
        quiet = [word for name in QUIET for word in ("-p", f"no:{name}")]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "HARNESS", "ALLURE", "COV"))
        }
        environment["XDG_STATE_HOME"] = str(self._directory)
        environment["HARNESS_LEASE_DIR"] = str(self._directory / "leases")
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *quiet, "-n", self._workers, *options, "test_it.py"],
            cwd=self._directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
        spans = [tuple(map(float, line.split())) for line in self._lines("spans")]
        problem = ""
        if ran.returncode or len(self._lines("log")) != len(self._shape.tests):
            problem = f"{len(self._lines('log'))} of {len(self._shape.tests)} ran: {ran.stdout[-600:]}"
        uses = self._uses()
        gaps = [later[0] - earlier[1] for those in uses.values() for earlier, later in pairwise(those)]
        return Run(
            max(end for _, end in spans) - min(begin for begin, _ in spans),
            statistics.median(gaps),
            problem or _shared(uses),
        )

    def _lines(self, name: str) -> list[str]:
        return (self._directory / name).read_text().splitlines()

    def _uses(self) -> dict[str, list[tuple[float, float]]]:
        """Return when each board was in a test."""
        uses: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for line in map(json.loads, self._lines("log")):
            for board in line["boards"]:
                uses[board].append((line["begin"], line["end"]))
        return {board: sorted(those) for board, those in uses.items()}


def _shared(uses: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Say which board was in two tests at once."""
    for board, those in uses.items():
        if any(earlier[1] > later[0] for earlier, later in pairwise(those)):
            return f"board {board} was in two tests at once"
    return ""


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else value


def measure(shape: Shape, rounds: int, others: Sequence[str]) -> dict[str, list[Run]]:
    """Run the tests of a shape under every scheduler, in turns."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for _round in range(rounds):
        with tempfile.TemporaryDirectory(prefix="mk-") as name:
            farm = Farm(shape, Path(name))
            runs[FIRST].append(farm.run_harness())
            runs[AGAIN].append(farm.run_harness())
            for other in others:
                runs[f"xdist, {other}"].append(farm.run_other(other))
    return runs


def report(shape: Shape, runs: dict[str, list[Run]]) -> bool:
    """Print the table of a shape; tell whether the target was met and nothing was wrong."""
    boards = ", ".join(f"{number} {kind}" for kind, number in shape.boards.items())
    total = sum(test.seconds for test in shape.tests)
    print(f"{shape.name}: {boards}; {len(shape.tests)} tests, {total:.1f} s, bound {shape.bound:.2f} s")
    met = True
    for name, those in runs.items():
        seconds = statistics.median(run.makespan for run in those)
        ratio = seconds / shape.bound
        verdict = ""
        if name == AGAIN:
            met = ratio <= shape.target
            verdict = f"   target ≤ {shape.target:.2f}: {'met' if met else 'MISSED'}"
        between = statistics.median(run.between for run in those) * 1000
        print(
            f"  {name:30}{seconds:8.2f} s{ratio:8.3f} x the bound{between:8.0f} ms between two tests{verdict}"
        )
        for problem in filter(None, (run.problem for run in those)):
            print(f"    WRONG: {problem}")
    return met and not any(run.problem for name in (FIRST, AGAIN) for run in runs[name])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="each number is the median of so many")
    parser.add_argument("--shape", type=int, choices=(1, 2), help="only the first, or the second")
    parser.add_argument("--alone", action="store_true", help="leave out xdist's own schedulers")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args(arguments)
    shapes = [make() for number, make in enumerate(SHAPES, 1) if options.shape in {None, number}]
    others = () if options.alone else OTHERS
    met = [report(shape, measure(shape, options.rounds, others)) for shape in shapes]
    return int(options.check and not all(met))


if __name__ == "__main__":
    sys.exit(main())
