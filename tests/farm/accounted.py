"""Sessions whose four accounts are read and compared: terminal, JUnit, Allure, summary."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.measuring import unmeasured
from tests.pytest_plugin.conftest import Suite
from tests.soak.support.four_accounts import FourAccounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SECONDS = 300
_OTHERS = ("randomly", "pytest_cov", "hypothesispytest", "anyio")
_BY_OPTION = {"timeout": "--timeout", "rerunfailures": "--reruns"}


class Accounted:
    """A session that ended.

    :ivar code: its exit status.
    :ivar out: what it wrote.
    :ivar accounts: the four of them.
    :ivar summary: all data of the summary.
    """

    def __init__(self, suite: Suite, code: int, out: str) -> None:
        """Read what it left."""
        self.code = code
        self.out = out
        self._directory = suite.directory
        self.summary: dict[str, Any] = json.loads((suite.directory / "summary.json").read_text())
        self.accounts = FourAccounts(
            out,
            junit=suite.directory / "junit.xml",
            allure=suite.directory / "allure",
            summary=suite.directory / "summary.json",
        )

    @property
    def outcomes(self) -> dict[str, str]:
        """How each test ended, by its name."""
        return self.accounts.outcomes

    def check(self, collected: Collection[str], code: int = 1) -> None:
        """Check that the four agree on all that was collected, and the exit status."""
        assert list(self.accounts.complaints(collected)) == [], self.out
        assert self.code == code, self.out

    @property
    def why_not_run(self) -> set[str]:
        """Why tests did not run."""
        return {each["reason"] for each in self.summary["not_run"]}

    def allure_of(self, test: str) -> dict[str, Any]:
        """Return the last result of a test."""
        results: list[dict[str, Any]] = [
            json.loads(file.read_text()) for file in (self._directory / "allure").glob("*-result.json")
        ]
        return max((each for each in results if each["name"] == test), key=lambda each: each["stop"])

    def labels_of(self, test: str, name: str) -> list[str]:
        """Return the labels of one name of a test's last result."""
        return [label["value"] for label in self.allure_of(test)["labels"] if label["name"] == name]


@contextmanager
def empty_suite(directory: Path) -> Iterator[Suite]:
    """Make a suite that uses toys, and clear away what its sessions need at run time."""
    with tempfile.TemporaryDirectory(prefix="hp") as runtime:  # short: it is part of the paths of sockets
        yield Suite(directory, Path(runtime), measured=False)


def command(suite: Suite, *arguments: str) -> list[str]:
    """Return the command line of a session on toys that writes all reports."""
    without = [*_OTHERS, *(name for name, option in _BY_OPTION.items() if option not in arguments)]
    return [
        *(sys.executable, "-m", "pytest", "-rN", "--bench", "virtual", "--clean-alluredir"),
        *("--alluredir=allure", "--junitxml=junit.xml", "--summary=summary.html", "--history=off"),
        *(word for name in without for word in ("-p", f"no:{name}")),
        *arguments,
    ]


def run(suite: Suite, *arguments: str) -> Accounted:
    """Run a session to its end."""
    done = subprocess.run(
        command(suite, *arguments),
        cwd=suite.directory,
        env=unmeasured(suite.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Accounted(suite, done.returncode, done.stdout)


def run_and_interrupt(suite: Suite, *arguments: str) -> Accounted:
    """Run a session that is interrupted by hand when one of its tests makes the file ``now``."""
    now = suite.directory / "now"
    os.mkfifo(now)
    with subprocess.Popen(
        command(suite, *arguments),
        cwd=suite.directory,
        env=unmeasured(suite.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            with now.open() as told:  # opened by the test
                assert told.read() == "now"
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Accounted(suite, process.returncode, out)
