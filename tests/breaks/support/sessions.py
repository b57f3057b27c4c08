"""Sessions of pytest in processes of their own, each with a deadline and an end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.breaks.support.catalogue import ROOT, SUITE, Sort
from tests.breaks.support.forking import ForkedProcess, ForkServer
from tests.breaks.support.judge import TestCase, read_junit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from concurrent.futures import Future
    from typing import Self

SESSION_SECONDS = 300.0
PARALLEL = 2

# Hundreds of sessions are begun, and a plugin that suites do not use takes an eighth of what one costs.
_UNUSED = ("anyio", "cacheprovider", "hypothesispytest", "pytest_cov", "randomly", "rerunfailures", "timeout")
_OPTIONS = {
    Sort.SUITE: (
        *("--bench=virtual", "--boards=1", "--test-deadline=30"),
        *("-p", "harness.pytest_plugin.plugin", *(f"-pno:{name}" for name in _UNUSED), "-q"),
    ),
    # Always the same examples: whether a break is noticed must not be chance.
    Sort.HARNESS: (
        *("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:allure_pytest"),
        *("--hypothesis-seed=0", "-q"),
    ),
}
# What an outer session leaves in the environment would lead an inner one astray.
_OUTER = ("PYTEST_", "HARNESS_", "ALLURE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """What a session brought.

    :ivar code: exit code of pytest.
    :ivar output: what it printed.
    """

    code: int
    output: str
    cases: tuple[TestCase, ...]

    @property
    def tail(self) -> str:
        """The end of what it printed."""
        return self.output[-3000:]


class SessionPool:
    """Runs sessions, a few at a time; whatever still runs at the end is killed."""

    def __init__(self, parallel: int = PARALLEL, seconds: float = SESSION_SECONDS) -> None:
        """Run none yet.

        :param parallel: how many run at a time.
        :param seconds: how long one may take.
        """
        self._seconds = seconds
        self._executor = ThreadPoolExecutor(parallel)
        self._server = ForkServer.start(_of_every_session(), ROOT)
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_problem: object) -> None:
        """End, and everything with it."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            kill_group(process)
        self._executor.shutdown(cancel_futures=True)
        self._server.close()

    def submit(
        self, tests: Sequence[str], *, plugin: str = "", sort: Sort = Sort.SUITE, suite: str = SUITE
    ) -> Future[SessionResult]:
        """Run tests, with a break or without; the result comes later.

        :param tests: node ids or directories; options too, which count more than those of the sort.
        :param plugin: module name of the break.
        :param sort: whose tests they are.
        :param suite: whose tests they are, of a suite's.
        """
        arguments = (*options(sort, suite), *tests)
        return self._executor.submit(self._run, arguments, plugin, sort)

    def _run(self, arguments: tuple[str, ...], plugin: str, sort: Sort) -> SessionResult:
        # A short path: sockets of the session lie below it.
        directory = Path(tempfile.mkdtemp(prefix="breaks-"))
        try:
            return self._run_in(directory, arguments, plugin, sort)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _run_in(self, directory: Path, arguments: tuple[str, ...], plugin: str, sort: Sort) -> SessionResult:
        junit = directory / "junit.xml"
        command = [sys.executable, "-m", "pytest", *arguments, f"--junitxml={junit}"]
        if sort is Sort.HARNESS:
            command += ["-p", "tests.breaks.support.everywhere"]
        code, output = self._call(command, environment(plugin, directory, sort))
        return SessionResult(
            code=code, output=output, cases=tuple(read_junit(junit)) if junit.exists() else ()
        )

    def _call(self, command: list[str], variables: dict[str, str]) -> tuple[int, str]:
        with self._lock:
            if self._closed:
                return -signal.SIGKILL, "not run: the pool was closed"
            process = ForkedProcess(
                command,
                server=self._server,
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            output, _ = process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            kill_group(process)
            output, _ = process.communicate()
            output += f"\nkilled: the session took more than {self._seconds:g} s"
        finally:
            with self._lock:
                self._running.discard(process)
        return process.returncode, output


def options(sort: Sort, suite: str = SUITE) -> tuple[str, ...]:
    """Return what every session is told.

    :param sort: whose tests run in it.
    :param suite: whose tests run in it, of a suite's: its name is that of its service.
    """
    backend = (f"--backend={suite.rpartition('/')[2]}=fake",) if sort is Sort.SUITE else ()
    return (*_OPTIONS[sort], *backend)


def environment(plugin: str, directory: Path, sort: Sort = Sort.SUITE) -> dict[str, str]:
    """Return the environment of a session: nothing of an outer one, and the break in every process.

    :param plugin: module name of the break; may be empty.
    :param directory: of the session alone.
    :param sort: whose tests run in it.
    """
    variables = _of_every_session()
    variables["HARNESS_RUNTIME_DIR"] = str(directory / "run")
    variables["HARNESS_STATE_DIR"] = str(directory / "state")
    if sort is Sort.SUITE:
        # Only our own plugin: the others would cost each session a third of its time, and one of them the
        # order. The harness's own tests start sessions that need some of them.
        variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    else:
        variables["TMPDIR"] = str(directory)
    if plugin:
        variables["HARNESS_PLUGINS"] = plugin
    return variables


def _of_every_session() -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_OUTER)}
    return {**variables, "PYTHONPATH": str(ROOT)}


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a session with everything in its process group; what left the group ends on its lifeline."""
    with suppress(ProcessLookupError):  # all of it is gone already
        os.killpg(process.pid, signal.SIGKILL)


def collect(places: Collection[str], sort: Sort = Sort.SUITE, suite: str = SUITE) -> list[str]:
    """Return the node ids of tests, relative to the repository.

    :param places: files or directories.
    :param sort: whose tests they are.
    :param suite: whose tests they are, of a suite's.
    :raises RuntimeError: they cannot be collected.
    """
    command = [sys.executable, "-m", "pytest", *sorted(places), *options(sort, suite), "--collect-only"]
    with tempfile.TemporaryDirectory(prefix="breaks-") as directory:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment("", Path(directory), sort),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SESSION_SECONDS,
            check=False,
        )
    found = [line for line in done.stdout.splitlines() if line.startswith(tuple(places)) and "::" in line]
    if done.returncode != 0 or not found:
        raise RuntimeError(f"cannot collect {', '.join(places)}:\n{done.stdout}\n{done.stderr}")
    return found
