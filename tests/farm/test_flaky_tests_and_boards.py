"""Twenty recorded sessions, one test and one board that fail at times: the history tells which is which."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from harness.virtual.launcher import start_bench
from tests.measuring import unmeasured

RUNS = 20
AT_ONCE = 2
RUN_SECONDS = 300
KIND = "nrf9160dk-virtual"
BOARDS = ("board-1", "board-2", "board-3", "board-4")
SUITE = """
import os
from random import Random
import pytest

RUN = os.environ["RUN"]


def fails(name, rate, request):
    return Random(f"{RUN} {name} {request.node.name}").random() < rate


@pytest.fixture(autouse=True)
def weather(board, request):
    assert not (board.id == "board-3" and fails("board", 0.3, request)), "the board lost its mind"


@pytest.mark.parametrize("number", range(11))
def test_steady(board, number):
    pass


def test_moody(board, request):
    assert not fails("test", 0.4, request), "the test lost its mind"
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """What ``harness history`` says after twenty sessions, as data and as text."""
    directory = tmp_path_factory.mktemp("f")
    (directory / "test_it.py").write_text(SUITE, encoding="utf-8")
    (directory / "pytest.ini").write_text("[pytest]\nharness_project = moods\n", encoding="utf-8")
    history = ["--history", str(directory / "history.sqlite3")]
    environment = {**unmeasured(os.environ), "HARNESS_STATE_DIR": str(directory / "state")}

    def run(*words: str, number: int = 0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=directory,
            env={**environment, "RUN": str(number)},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    with ExitStack() as stack:
        benches = [
            stack.enter_context(start_bench(directory / str(number), [(KIND, name, {}) for name in BOARDS]))
            for number in range(AT_ONCE)
        ]

        def share(first: int) -> list[int]:
            options = ["-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:pytest_cov", "-q", "-n", "0"]
            bench = ["--bench", f"virtual={benches[first].socket}", *history]
            codes = []
            for number in range(first, RUNS, AT_ONCE):
                board = ["--board", BOARDS[number % len(BOARDS)]]
                codes.append(run("pytest", *options, *bench, *board, number=number).returncode)
            return codes

        with ThreadPoolExecutor(AT_ONCE) as pool:
            codes = [code for codes in pool.map(share, range(AT_ONCE)) for code in codes]
    assert set(codes) <= {0, 1}
    told = run("harness.cli", "history", *history, "--json")
    assert told.returncode == 0, told.stderr
    shown = run("harness.cli", "history", *history)
    return json.loads(told.stdout), shown.stdout


def test_twenty_sessions_were_recorded(findings: tuple[Any, str]) -> None:
    """Also those that ran at the same time as others."""
    assert findings[0]["sessions"] == RUNS


def test_the_flaky_test_is_told_from_the_steady_ones(findings: tuple[Any, str]) -> None:
    """It fails on all boards, and the steady ones on one board only: they are not to blame."""
    judged = {test["name"].partition("::")[2]: test["judgement"] for test in findings[0]["tests"]}
    steady = {f"test_steady[{number}]": "fine" for number in range(11)}
    assert judged == {**steady, "test_moody": "flaky"}


def test_the_flaky_board_is_told_from_the_steady_ones(findings: tuple[Any, str]) -> None:
    """The one on which every test fails at times; the moody test does not bring the others into disrepute."""
    judged = {board["name"]: board["judgement"] for board in findings[0]["boards"]}
    assert judged == {name: "flaky" if name == "board-3" else "fine" for name in BOARDS}


def test_people_are_told_the_same(findings: tuple[Any, str]) -> None:
    """The tables name both."""
    text = findings[1]
    assert "test_moody" in text
    assert "board-3" in text
    assert text.count("flaky") >= 2
