"""Merging what pytest and allure-pytest really write."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from harness.merging.accounts import Accounts
from harness.merging.merge import merge
from harness.merging.runs import parse_source
from tests.measuring import unmeasured

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import allure, pytest

@pytest.fixture
def bad_end():
    yield
    assert False, "end"

def test_good(record_property):
    allure.attach("log of it", "log")

@pytest.mark.parametrize("x", [1, 2])
def test_many(x): assert x == 1

def test_twice(bad_end): assert False, "call"

@pytest.mark.skip(reason="not here")
def test_skipped(): pass

@pytest.mark.xfail(strict=True)
def test_expected(): assert False
"""


def test_what_pytest_and_allure_write_is_understood(tmp_path: Path) -> None:
    """Outcomes are those that pytest tells, and each result, container and attachment is there afterwards."""
    desk = tmp_path / "desk"
    (tmp_path / "test_it.py").write_text(TESTS)
    options = ["-p", "no:cacheprovider", f"--alluredir={desk}/allure-results", f"--junitxml={desk}/junit.xml"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir=.", *options, "test_it.py"],
        cwd=tmp_path,
        env=unmeasured(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 1, done.stdout

    made = merge([parse_source(str(desk))], tmp_path / "merged")

    assert made.complaints == ()
    assert made.accounts == Accounts(passed=2, failed=2, skipped=2)
    for pattern in ("*-result.json", "*-container.json", "*-attachment*"):
        there = len(list((desk / "allure-results").glob(pattern)))
        assert there > 0
        assert len(list((tmp_path / "merged" / "allure-results").glob(pattern))) == there
