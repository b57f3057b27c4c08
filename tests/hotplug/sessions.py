"""Sessions in a virtual USB lab, of suites that pull cables."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any
QUIET = [each for name in ("randomly", "cacheprovider", "pytest_cov") for each in ("-p", f"no:{name}")]
CONFTEST = """
    import os, pathlib, threading
    import pytest
    from harness.virtual.client import BenchClient

    HERE = pathlib.Path(__file__).parent

    def harness_board_lost(board):
        with (HERE / "lost").open("a") as file:
            print(board.id, file=file)

    @pytest.fixture
    def cable():
        with BenchClient(os.environ["LAB"]) as client:
            yield client.board

    @pytest.fixture
    def wait_for():
        def wait(what):
            pause = threading.Event()
            for _ in range(400):
                if (HERE / what).exists():
                    return
                pause.wait(0.1)
            raise TimeoutError(what)
        return wait

    def pytest_sessionfinish(session):
        if hasattr(session.config, "workerinput"):
            boards = session.config.stash[__import__("harness").pytest_plugin.state.SESSION_KEY].own_boards
            for board in boards:
                (HERE / f"ended {board.id}").touch()
"""


@dataclass(frozen=True)
class Ran:
    """How a session ended.

    :ivar out: what it printed.
    :ivar tests: the summary's data of each test, by its name.
    :ivar story: what the summary tells of its boards.
    """

    code: int
    out: str
    tests: dict[str, dict[str, Any]]
    story: str

    @property
    def outcomes(self) -> dict[str, str]:
        """How each test ended."""
        return {name: test["outcome"] for name, test in self.tests.items()}


def run(lab: Lab, directory: Path, suite: str, *arguments: str) -> Ran:
    """Run a suite in the lab, with the fixtures ``cable`` and ``wait_for``."""
    (directory / "conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    (directory / "test_it.py").write_text(textwrap.dedent(suite), encoding="utf-8")
    (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rA", *QUIET, "--bench", "attached", "--summary", "s.html"]
    ran = lab.run(
        [*command, *arguments],
        cwd=directory,
        env={
            "LAB": str(lab.bench.socket),
            "HARNESS_STATE_DIR": str(directory / "state"),
            "PYTHONDONTWRITEBYTECODE": "",
        },
        measured=False,  # test_six_boards runs the same code in one session
        timeout=300,
    )
    assert (directory / "s.json").exists(), ran.stdout + ran.stderr
    data = json.loads((directory / "s.json").read_text(encoding="utf-8"))
    tests = {test["nodeid"].partition("::")[2]: test for test in data["tests"]}
    return Ran(ran.returncode, ran.stdout, tests, "\n".join(data["story"]))
