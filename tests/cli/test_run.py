"""``harness run`` and ``harness plan``: how pytest is called, and what becomes of its answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.shipped import shipped_suites

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE = shipped_suites()["nrfcloud"]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines that pytest was called with; it answers that all is well."""
    calls: list[list[str]] = []

    def answer(arguments: list[str]) -> int:
        calls.append(arguments)
        return 0

    monkeypatch.setattr(pytest, "main", answer)
    return calls


def test_suite_is_run_from_where_it_is_installed(run: Callable[..., Any], called: list[list[str]]) -> None:
    """Node ids, configuration and cache do not depend on the directory that the suite lies in."""
    assert run("run", "nrfcloud", "--bench", "virtual", "-n", "auto", "-k", "claim and not csv").code == 0

    (arguments,) = called
    assert arguments[0] == str(SUITE)
    assert f"--rootdir={SUITE.parent.parent}" in arguments
    assert f"--override-ini=cache_dir={Path.cwd() / '.pytest_cache'}" in arguments
    assert arguments[-6:] == ["--bench", "virtual", "-n", "auto", "-k", "claim and not csv"]


def test_plan_adds_its_option(run: Callable[..., Any], called: list[list[str]]) -> None:
    """A plan is a run in which nothing is run."""
    assert run("plan", "nrfcloud", "--bench", "virtual").code == 0

    assert called[0][0] == str(SUITE)
    assert called[0][-3:] == ["--plan", "--bench", "virtual"]


def test_plan_of_own_tests(run: Callable[..., Any], called: list[list[str]], tmp_path: Path) -> None:
    """The user's own tests are planned with their own configuration."""
    assert run("plan", str(tmp_path), "-k", "x").code == 0

    assert called == [[str(tmp_path), "--plan", "-k", "x"]]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_unknown_suite_lists_the_known(
    run: Callable[..., Any], called: list[list[str]], command: str
) -> None:
    """A name that is no suite is refused before pytest is called."""
    outcome = run(command, "nfrcloud")

    assert outcome.code == 4
    assert outcome.err == "harness: SUITE: no such suite (got 'nfrcloud'); expected nrfcloud\n"
    assert not called


@pytest.mark.parametrize(("answer", "code"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 4), (5, 4), (99, 1)])
def test_answer_of_pytest_becomes_ours(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, answer: int, code: int
) -> None:
    """Pytest's six codes become our three; that nothing was selected is a wrong use."""
    monkeypatch.setattr(pytest, "main", lambda _arguments: answer)

    assert run("run", "nrfcloud").code == code


def test_plan_of_nothing_is_no_error(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan runs no test, so that none was run is no failure."""
    monkeypatch.setattr(pytest, "main", lambda _arguments: 5)

    assert run("plan", "nrfcloud").code == 0


def test_options_are_passed_whole_to_a_real_pytest(tmp_path: Path) -> None:
    """From an empty directory the shipped suite is collected, with ids that begin at ``suites``."""
    command = [sys.executable, "-c", "from harness.cli.main import main; main()", "run", "nrfcloud"]
    arguments = [*command, "--collect-only", "-q", "-k", "test_claimed_device_is_the_board"]

    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "suites/nrfcloud/test_claiming.py::test_claimed_device_is_the_board" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {".pytest_cache"}
