"""In CI a skipped test is a failure; at a desk it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measuring import unmeasured

ROOT = Path(__file__).parents[1]
SKIPS = (
    'import pytest\n\ndef test_runs():\n    pass\n\ndef test_skips():\n    pytest.skip("no such program")\n'
)
RUNS = "def test_runs():\n    pass\n"


@pytest.mark.parametrize(
    ("tests", "variable", "workers", "code"),
    [
        (SKIPS, "1", "0", 1),
        (SKIPS, "1", "2", 1),
        (SKIPS, "", "0", 0),
        (RUNS, "1", "0", 0),
    ],
    ids=["in CI", "in CI with workers", "at a desk", "nothing skipped"],
)
def test_skipped_test_fails_the_run_in_ci(
    tmp_path: Path, tests: str, variable: str, workers: str, code: int
) -> None:
    """With HARNESS_CI set a run with a skipped test fails, and says why."""
    (tmp_path / "test_it.py").write_text(tests)

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            workers,
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.conftest",
            "test_it.py",
        ],
        cwd=tmp_path,
        env={**unmeasured(os.environ), "HARNESS_CI": variable, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == code, done.stdout + done.stderr
    assert ("1 skipped: a failure because HARNESS_CI is set" in done.stdout) == (code == 1)
