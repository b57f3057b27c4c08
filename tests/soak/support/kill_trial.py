"""One kill trial: a session in which a test says that it is in some phase, and a victim that dies then."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

TESTS = 6
PHASES = ("setup", "claim", "command", "provision", "teardown")
VICTIMS = ("worker", "controller", "bench", "fake")
SESSION_SECONDS = 240.0
EVENT_SECONDS = 60.0
MARK = "HARNESS_KILL_TRIAL"

_COMMAND_OF = {"bench": "harness.virtual.daemon", "fake": "harness.backends.serving"}
_QUIET = ("randomly", "cacheprovider", "pytest_cov", "hypothesispytest", "anyio")
_SUITE = '''
import json, os
from pathlib import Path
import pytest
from harness_nordic.client_requests import Finished, ServerCertificate

HERE = Path(__file__).parent
PLAN = json.loads((HERE / "plan.json").read_text())
CA = (HERE / "ca.pem").read_text().strip()


def say(number, phase):
    """Say once that a test is in the phase of the trial, and wait there if that is the plan."""
    if (number, phase) == (PLAN["test"], PLAN["phase"]):
        event = os.open(HERE / "events", os.O_WRONLY)
        os.write(event, f"{os.getpid()}\\n".encode())
        os.close(event)
        if PLAN["holds"]:
            os.read(os.open(HERE / "go", os.O_RDWR), 1)


@pytest.fixture
def phases(board, nrfcloud, number):
    say(number, "setup")
    yield
    say(number, "teardown")


@pytest.mark.board(driver="nrf91")
@pytest.mark.parametrize("number", range(PLAN["tests"]))
def test_it(board, nrfcloud, phases, number):
    tag = board.driver.sec_tags[0]
    token = board.driver.attestation_token()
    say(number, "claim")
    device = nrfcloud.claim(token)
    say(number, "command")
    device.add_command(ServerCertificate(sec_tag=tag, content=CA))
    device.add_command(Finished())
    say(number, "provision")
    assert board.driver.provision().finished
    assert [entry.tag for entry in board.driver.credentials(tag=tag)] == [tag]
'''
_SUITE_AFTERWARDS = """
import pytest


@pytest.mark.board(driver="nrf91", each="board")
def test_nothing_is_left(board, nrfcloud):
    assert [entry for entry in board.driver.credentials() if entry.tag in board.driver.sec_tags] == []
    assert nrfcloud.devices() == []
"""
# Boards of a session's own bench are strangers to a fake that is not the session's own.
_CONFTEST = """
import json
from pathlib import Path
from harness.backends.contract import Backend
from harness_nordic.client import enrol

CONTROL = json.loads((Path(__file__).parent / "plan.json").read_text())["control"]


def harness_introduce_board(board, backend):
    if CONTROL is not None:
        fake = Backend(name="nrfcloud", mode="fake", url=backend.url, control=CONTROL)
        enrol(fake, board.virtual.call("factory_record"))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens in a trial.

    :ivar test: number of the test that tells its phase.
    :ivar holds: the test waits in that phase; else it goes on while the victim is being killed.
    :ivar workers: number of xdist's workers; 0 for one process.
    :ivar shares_bench: the bench is not the session's own.
    :ivar shares_fake: the fake is not the session's own.
    """

    victim: str
    phase: str
    test: int
    holds: bool
    workers: int
    shares_bench: bool
    shares_fake: bool

    @classmethod
    def make(cls, number: int, random: Random) -> Self:
        """Make the plan of a trial: victims and phases in turn, twenty pairs of them; the rest by chance."""
        victim = VICTIMS[number % len(VICTIMS)]
        survives = victim in {"worker", "controller"}
        return cls(
            victim=victim,
            phase=PHASES[number % len(PHASES)],
            test=random.randrange(TESTS),
            holds=random.random() < 0.5,
            workers=2 if victim == "worker" else random.choice((0, 2)),
            shares_bench=survives or (victim == "fake" and random.random() < 0.5),
            shares_fake=survives or (victim == "bench" and random.random() < 0.5),
        )

    def __str__(self) -> str:
        """Say it in a line."""
        place = f"{self.workers} workers" if self.workers else "one process"
        pause = "held" if self.holds else "running"
        shared = "+".join(["bench"] * self.shares_bench + ["fake"] * self.shares_fake) or "nothing"
        return f"{self.victim} in {self.phase} of test {self.test}, {pause}, {place}, {shared} shared"


class Session:
    """A session of pytest in a directory of its own.

    :ivar directory: where its tests and reports are.
    :ivar environment: of its processes.
    """

    def __init__(
        self,
        directory: Path,
        plan: Plan,
        *,
        certificate: str,
        control: str | None,
        environment: Mapping[str, str],
    ) -> None:
        """Write the tests; nothing runs yet.

        :param certificate: what the tests provision.
        :param control: control socket of a fake to enrol the boards with.
        :param environment: of the session.
        """
        self.directory = directory
        self._plan = plan
        self.environment = {**environment, MARK: str(directory)}
        (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        (directory / "ca.pem").write_text(certificate)
        (directory / "conftest.py").write_text(_CONFTEST)
        (directory / "test_it.py").write_text(_SUITE)
        (directory / "test_afterwards.py").write_text(_SUITE_AFTERWARDS)
        values = {
            "test": plan.test,
            "phase": plan.phase,
            "holds": plan.holds,
            "tests": TESTS,
            "control": control,
        }
        (directory / "plan.json").write_text(json.dumps(values))
        for name in ("events", "go"):
            os.mkfifo(directory / name)
        self._events = os.open(directory / "events", os.O_RDWR)
        self._go = os.open(directory / "go", os.O_RDWR)
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill what still runs, by its process id."""
        os.close(self._events)
        os.close(self._go)
        for pid in self.processes():
            _kill(pid)
        if self.process is not None and self.process.stdout is not None:
            self.process.communicate(timeout=SESSION_SECONDS)

    def command(self, file: str, *arguments: str) -> list[str]:
        """Return the command line of a run."""
        quiet = [word for name in _QUIET for word in ("-p", f"no:{name}")]
        return [sys.executable, "-m", "pytest", "-rA", *quiet, file, *arguments]

    def begin(self, *arguments: str) -> None:
        """Start the session."""
        reports = ["--alluredir", "allure", "--junitxml", "junit.xml", "--test-deadline", "100"]
        workers = ["-n", str(self._plan.workers)] if self._plan.workers else []
        self.process = subprocess.Popen(
            self.command("test_it.py", *arguments, *reports, *workers),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for_phase(self) -> int:
        """Wait until the test is in the phase.

        :return: process id of the worker that runs it.
        """
        line = b""
        end = time.monotonic() + EVENT_SECONDS
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._events], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"no test came to the phase:\n{self.killed()}"
            line += os.read(self._events, 1)
        return int(line)

    def killed(self) -> str:
        """Kill the controller and return what it had said."""
        assert self.process is not None
        self.process.kill()
        return self.end()

    def kill(self, worker: int) -> None:
        """Kill the victim."""
        assert self.process is not None
        if self._plan.victim in _COMMAND_OF:
            wanted = _COMMAND_OF[self._plan.victim]
            (pid,) = [pid for pid, command in self.processes().items() if wanted in command]
        else:
            pid = worker if self._plan.victim == "worker" else self.process.pid
        os.kill(pid, signal.SIGKILL)

    def let_go(self) -> None:
        """Let the test that waits go on."""
        os.write(self._go, b"x")

    def end(self) -> str:
        """Wait for the end and return the output."""
        assert self.process is not None
        return self.process.communicate(timeout=SESSION_SECONDS)[0]

    def next_session(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a session after the one with the victim."""
        return subprocess.run(
            self.command("test_afterwards.py", *arguments),
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SESSION_SECONDS,
            check=False,
        )

    def processes(self) -> dict[int, str]:
        """Return every process of the trial, by its environment, with its command line."""
        mark = f"{MARK}={self.directory}\0".encode()
        found = {}
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                zombie = (directory / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                if not zombie and mark in (directory / "environ").read_bytes():
                    found[int(directory.name)] = (directory / "cmdline").read_bytes().decode()
            except OSError:
                continue
        return found

    def wait_for_no_process(self, seconds: float) -> dict[int, str]:
        """Wait for the end of every process of the trial, by the kernel's notice of each.

        :return: those that are still there after so many seconds.
        """
        end = time.monotonic() + seconds
        for pid in self.processes():
            try:
                descriptor = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            try:
                select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
            finally:
                os.close(descriptor)
        return self.processes()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Accounts:
    """What terminal, JUnit and Allure say of the tests of a session.

    :ivar terminal: outcomes by test, from pytest's short summary.
    :ivar not_run: tests that the terminal says did not run.
    :ivar not_run_count: the number that the terminal says did not run.
    :ivar junit: outcomes by test.
    :ivar allure: outcomes by test.
    """

    def __init__(self, output: str, directory: Path) -> None:
        """Read them."""
        self.terminal: dict[str, set[str]] = {}
        for outcome, name in re.findall(r"^(PASSED|FAILED|ERROR) test_it\.py::(\S+)", output, re.MULTILINE):
            self.terminal.setdefault(name, set()).add(outcome.lower())
        _, _, rest = output.partition("tests that did not run")
        self.not_run = set(re.findall(r"^test_it\.py::(\S+)$", rest, re.MULTILINE))
        count = re.search(r"^not run: (\d+)$", output, re.MULTILINE)
        self.not_run_count = int(count[1]) if count else 0
        self.junit: dict[str, set[str]] = {}
        for case in ET.parse(directory / "junit.xml").iter("testcase"):  # noqa: S314 - pytest's own
            outcome = next((child.tag for child in case if child.tag in {"failure", "error"}), "passed")
            self.junit.setdefault(case.attrib["name"], set()).add(outcome)
        self.allure: dict[str, set[str]] = {}
        for file in (directory / "allure").glob("*-result.json"):
            result = json.loads(file.read_text())
            self.allure.setdefault(result["name"], set()).add(result["status"])

    @property
    def all_passed(self) -> bool:
        """Whether every test passed."""
        return not self.not_run and all(outcomes == {"passed"} for outcomes in self.terminal.values())

    def complaints(self, crashed: str | None) -> list[str]:
        """Return what is missing or does not agree.

        :param crashed: the test whose worker was killed.
        """
        collected = {f"test_it[{number}]" for number in range(TESTS)}
        reported = set(self.terminal)
        found = []
        if reported | self.not_run != collected or reported & self.not_run:
            found.append(f"terminal: reported {sorted(reported)}, not run {sorted(self.not_run)}")
        if self.not_run_count != len(self.not_run):
            found.append(f"terminal counts {self.not_run_count} tests not run and names {len(self.not_run)}")
        for name, account in (("JUnit", self.junit), ("Allure", self.allure)):
            if set(account) != reported:
                found.append(f"{name}: {sorted(account)}, but the terminal has {sorted(reported)}")
            agree = {test for test in reported & set(account) if self.terminal[test] == {"passed"}}
            if any(account[test] != {"passed"} for test in agree):
                found.append(f"{name} does not agree about what passed: {account}, {self.terminal}")
            if any(account[test] == {"passed"} for test in (reported & set(account)) - agree):
                found.append(f"{name} does not agree about what failed: {account}, {self.terminal}")
        if crashed is not None and "failed" not in self.terminal.get(crashed, set()):
            found.append(f"the test that crashed did not fail: {self.terminal.get(crashed)}")
        return found
