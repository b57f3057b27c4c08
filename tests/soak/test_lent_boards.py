"""Tests of several boards whose workers are killed: no board is in two tests, or as one left it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.pytest_plugin.conftest import Suite
from tests.soak.support.rounds import SCALE, SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSIONS = max(2, round(30 * SCALE))
KINDS = {"toy-a": 3, "toy-b": 2}
TESTS = 26
SECONDS = 90.0
CONFTEST = """
    import os, pathlib, threading, time
    import pytest

    HERE = pathlib.Path(__file__).parent

    def tell(*words):
        with (HERE / "uses").open("a") as file:
            print(*words, file=file)

    @pytest.fixture
    def use(request):
        def use(*boards, seconds):
            ids = ",".join(board.id for board in boards)
            tell("began", request.node.name, os.getpid(), time.monotonic(), ids)
            for board in boards:
                assert board.driver.get() == "", f"{board.id} is not as it should be"
                board.driver.change(f"by {request.node.name}")
            threading.Event().wait(seconds)
            for board in boards:
                assert board.driver.get() == f"by {request.node.name}"
            tell("ended", request.node.name, os.getpid(), time.monotonic(), ids)
        return use
    """
ACCOUNTS = re.compile(r"(\d+) collected = (\d+) passed \+ (\d+) failed \+ (\d+) skipped \+ (\d+) not run")


def random_suite(dice: Random) -> str:
    """Return a suite of tests that take one board or several, some of them kept together."""
    lines = ["import pytest"]
    for number in range(TESTS):
        kind = dice.choice([None, *KINDS])
        count = dice.choice([1, 1, 2, 2, 3])
        count = min(count, KINDS.get(kind or "", 4))
        group = dice.choice([None, None, None, "one", "two"]) if kind is None and count < 3 else None
        need = f"kind={kind!r}, count={count}" if kind else f"count={count}"
        lines += [f"@pytest.mark.keep_together({group!r})"] if group else []
        lines += [
            f"@pytest.mark.board({need})",
            f"def test_{number}(boards, use):",
            f"    use(*boards, seconds={dice.choice([0, 0.01, 0.05, 0.2])})",
        ]
    return "\n".join(lines)


class Use:
    """What one test told of itself, by its name: which boards, and when."""

    def __init__(self, lines: list[list[str]]) -> None:
        (_, self.test, pid, began, boards), *rest = lines
        self.pid, self.began, self.boards = int(pid), float(began), boards.split(",")
        self.ended = float(rest[0][3]) if rest else None


class Session:
    """A session of a random suite, in which workers are killed at random moments.

    :ivar killed: when each process was killed.
    """

    def __init__(self, suite: Suite, dice: Random) -> None:
        self._dice = dice
        self._uses = suite.directory / "uses"
        self.killed: dict[int, float] = {}
        self._process = suite.start(
            "--bench", "virtual", "--boards", ",".join(f"{k}={n}" for k, n in KINDS.items()), "-n", "auto"
        )
        killer = threading.Thread(target=self._kill, args=(dice.randint(1, 3),))
        killer.start()
        try:
            self.out, _ = self._process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise
        finally:
            killer.join()
        self.code = self._process.returncode

    def _told(self) -> list[list[str]]:
        text = self._uses.read_text(encoding="utf-8") if self._uses.exists() else ""
        return [line.split() for line in text.splitlines() if line.count(" ") >= 4]

    def _kill(self, times: int) -> None:
        """Kill some worker whenever some more tests have begun, running a test or not."""
        pause = threading.Event()
        for _ in range(times):
            enough = len(self._told()) + self._dice.randint(1, 14)
            while len(self._told()) < enough:
                if self._process.poll() is not None:
                    return
                pause.wait(0.002)
            pause.wait(self._dice.choice([0, 0, 0.01, 0.1]))
            alive = sorted({int(line[2]) for line in self._told()} - self.killed.keys())
            if alive:
                victim = self._dice.choice(alive)
                self.killed[victim] = time.monotonic()
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)

    def uses(self) -> list[Use]:
        """Return what was told of each test."""
        told: dict[str, list[list[str]]] = {}
        for line in self._told():
            told.setdefault(line[1], []).append(line)
        for lines in told.values():
            assert Counter(line[0] for line in lines)["began"] == 1, f"{lines} began more than once"
        return [Use(lines) for lines in told.values()]


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """An empty suite."""
    runtime = Path(tempfile.mkdtemp(prefix="hl"))
    yield Suite(tmp_path, runtime, measured=False)
    shutil.rmtree(runtime)


@pytest.mark.parametrize("number", range(SESSIONS))
def test_workers_are_killed_while_they_share_boards(suite: Suite, number: int) -> None:
    """Only tests whose worker was killed in them fail; every board is in one test at a time and put back."""
    dice = Random(f"{SEED}-{number}")  # noqa: S311 - to be repeatable is the point
    suite.write("conftest.py", CONFTEST)
    suite.write("test_it.py", textwrap.dedent(random_suite(dice)))

    session = Session(suite, dice)

    sys.stdout.write(f"HARNESS_SOAK_SEED={SEED} session {number}: killed {len(session.killed)}\n")
    uses = session.uses()
    unended = {use.test for use in uses if use.ended is None}
    assert {use.pid for use in uses if use.ended is None} <= session.killed.keys(), session.out
    (accounts,) = {tuple(map(int, found)) for found in ACCOUNTS.findall(session.out)}
    collected, passed, failed, skipped, not_run = accounts
    assert (collected, skipped, not_run) == (TESTS, 0, 0), session.out
    assert passed + failed == TESTS
    assert failed <= len(session.killed), session.out
    assert unended <= set(re.findall(r"^FAILED test_it\.py::(\w+)", session.out, re.MULTILINE))
    assert session.code == (1 if failed else 0), session.out
    for board in {board for use in uses for board in use.boards}:
        times = sorted(
            (use.began, session.killed[use.pid] if use.ended is None else use.ended, use.test)
            for use in uses
            if board in use.boards
        )
        for (_, ended, one), (began, _, other) in pairwise(times):
            assert ended <= began, f"{board} was in {one} and in {other}\n{session.out}"
    assert suite.left_behind == []
