"""What the plugin costs a suite that does not use it: pytest with it idle beside pytest without it.

Both run the same empty tests, in interleaved rounds of one run; each run is a process of its own, and its
processor time is what is compared (wall time is shown too). The start is a run of one test, the cost of a
test the difference between many and one. What counts is the median of the rounds' differences. ``--check``
makes a missed target an error. Other installed plugins are switched off on both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PER_TEST_TARGET_MS = 0.1
START_TARGET_MS = 30.0
HEAVY = ("pydantic", "httpx", "cryptography")
OTHERS = ("randomly", "xdist", "hypothesispytest", "allure_pytest", "anyio", "pytest_cov", "cacheprovider")
LIST_MODULES = """
import json, sys
from pathlib import Path

def pytest_sessionfinish():
    Path(__file__).with_name("modules.json").write_text(json.dumps([*sys.modules]))
"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds that one run took."""

    processor: float
    wall: float


def run(directory: Path, suite: str, *, with_plugin: bool) -> Cost:
    """Run a suite in a process of its own."""
    off = OTHERS if with_plugin else (*OTHERS, "harness")
    command = [sys.executable, "-m", "pytest", "-q", *(part for name in off for part in ("-p", f"no:{name}"))]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, suite], cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stderr is not None
    with process.stderr as errors:
        assert process.returncode == 0, errors.read().decode()
    return Cost((usage.ru_utime + usage.ru_stime) * 1000, wall * 1000)


def difference(directory: Path, suite: str, *, plugin_first: bool) -> Cost:
    """Return what the plugin adds to one run."""
    costs = {which: run(directory, suite, with_plugin=which) for which in (plugin_first, not plugin_first)}
    return Cost(costs[True].processor - costs[False].processor, costs[True].wall - costs[False].wall)


def measure(rounds: int, tests: int) -> tuple[list[Cost], list[Cost]]:
    """Return, for each round, what the plugin adds at start and for each test."""
    starts, each = [], []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "pytest.ini").write_text("[pytest]\n")
        (directory / "conftest.py").write_text(LIST_MODULES)
        (directory / "test_one.py").write_text("def test_0(): pass\n")
        many = "".join(f"def test_{number}(): pass\n" for number in range(tests + 1))
        (directory / "test_many.py").write_text(many)
        for which in (True, False):  # fill the caches of compiled modules
            run(directory, ".", with_plugin=which)
        run(directory, "test_one.py", with_plugin=True)
        heavy = set(json.loads((directory / "modules.json").read_text())).intersection(HEAVY)
        assert not heavy, f"an idle plugin imports {', '.join(heavy)}"
        for number in range(rounds):
            start = difference(directory, "test_one.py", plugin_first=number % 2 == 0)
            whole = difference(directory, "test_many.py", plugin_first=number % 2 == 1)
            starts.append(start)
            each.append(Cost((whole.processor - start.processor) / tests, (whole.wall - start.wall) / tests))
    return starts, each


def main() -> int:
    """Measure, print the table, and compare with the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--tests", type=int, default=500)
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    options = parser.parse_args()

    starts, each = measure(options.rounds, options.tests)
    missed = False
    print(f"added by the idle plugin, median of {options.rounds} rounds (processor time; wall time)")
    for what, costs, target in (
        ("at start", starts, START_TARGET_MS),
        ("each test", each, PER_TEST_TARGET_MS),
    ):
        processor = statistics.median(cost.processor for cost in costs)
        wall = statistics.median(cost.wall for cost in costs)
        verdict = "met" if processor <= target else "MISSED"
        missed = missed or processor > target
        print(f"{what:<10} {processor:8.3f} ms; {wall:8.3f} ms   target {target:g} ms: {verdict}")
    return int(missed and options.check)


if __name__ == "__main__":
    sys.exit(main())
