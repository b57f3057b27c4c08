"""``harness run`` and ``harness plan``: how pytest is called, and what becomes of its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli.run import RUN_PYTEST
from harness.shipped import shipped_suites

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE = shipped_suites()["nrfcloud"]


class Started(BaseException):
    """Pytest was started; this process would not be ours any more."""


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines that pytest was started with."""
    calls: list[list[str]] = []

    def start(program: str, arguments: list[str]) -> None:
        assert program == sys.executable
        calls.append(arguments[arguments.index("-c") + 2 :])
        raise Started

    monkeypatch.setattr(os, "execv", start)
    return calls


def test_suite_is_run_from_where_it_is_installed(run: Callable[..., Any], called: list[list[str]]) -> None:
    """Node ids, configuration and cache do not depend on the directory that the suite lies in."""
    with pytest.raises(Started):
        run("run", "nrfcloud", "--bench", "virtual", "-n", "auto", "-k", "claim and not csv")

    (arguments,) = called
    assert arguments[0] == str(SUITE)
    assert f"--rootdir={SUITE.parent.parent}" in arguments
    assert f"--override-ini=cache_dir={Path.cwd() / '.pytest_cache'}" in arguments
    assert arguments[-6:] == ["--bench", "virtual", "-n", "auto", "-k", "claim and not csv"]


def test_plan_adds_its_option(run: Callable[..., Any], called: list[list[str]]) -> None:
    """A plan is a run in which nothing is run."""
    with pytest.raises(Started):
        run("plan", "nrfcloud", "--bench", "virtual")

    assert called[0][0] == str(SUITE)
    assert called[0][-3:] == ["--plan", "--bench", "virtual"]


def test_plan_of_own_tests(run: Callable[..., Any], called: list[list[str]], tmp_path: Path) -> None:
    """The user's own tests are planned with their own configuration."""
    with pytest.raises(Started):
        run("plan", str(tmp_path), "-k", "x")

    assert called == [[str(tmp_path), "--plan", "-k", "x"]]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_unknown_suite_lists_the_known(
    run: Callable[..., Any], called: list[list[str]], command: str
) -> None:
    """A name that is no suite is refused before pytest is called."""
    outcome = run(command, "nfrcloud")

    assert outcome.code == 4
    assert (
        outcome.err
        == "harness: SUITE: no such suite (got 'nfrcloud'); expected guardian or nrfcloud or pelion\n"
    )
    assert not called


TEST = """
import os, signal

def test_passes():
    pass

def test_fails():
    assert 1 == 2

def test_interrupted():
    os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-k", "passes"], 0),
        (["-k", "fails"], 1),
        (["-k", "interrupted"], 1),
        (["-k", "nothing"], 4),
        (["--no-such-option"], 4),
    ],
)
def test_answer_of_pytest_becomes_ours(tmp_path: Path, arguments: list[str], code: int) -> None:
    """Pytest's six codes become our three; that nothing was selected is a wrong use."""
    (tmp_path / "test_it.py").write_text(TEST)
    command = [sys.executable, "-P", "-c", RUN_PYTEST, "-q", "-p", "no:cacheprovider"]

    done = subprocess.run(
        [*command, *arguments, "test_it.py"], cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode == code, done.stdout + done.stderr


def test_options_are_passed_whole_to_a_real_pytest(tmp_path: Path) -> None:
    """From an empty directory the shipped suite is collected, with ids that begin at ``suites``."""
    command = [sys.executable, "-c", "from harness.cli.main import main; main()", "run", "nrfcloud"]
    arguments = [*command, "--collect-only", "-q", "-k", "test_claimed_device_is_the_board"]

    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "suites/nrfcloud/test_claiming.py::test_claimed_device_is_the_board" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {".pytest_cache"}
