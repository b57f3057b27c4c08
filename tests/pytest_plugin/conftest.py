"""Sessions of pytest inside pytest, with the tiny vendor of ``toy/`` and nothing of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]


class Suite:
    """A directory with tests, run by a pytest of its own.

    Its processes are measured by coverage where the module of the test says ``MEASURED = True``: there
    everything is run that is run nowhere else, and measuring again what others measure costs too much.

    :ivar directory: where it is.
    :ivar runtime: the runtime directory of its sessions; short, since it is part of socket paths.
    """

    def __init__(self, directory: Path, runtime: Path, *, measured: bool) -> None:
        self.directory = directory
        self.runtime = runtime
        self.log_file = directory / "toy.log"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "HARNESS"))},
            "HARNESS_PLUGINS": "tests.pytest_plugin.toy.vendor",
            "HARNESS_RUNTIME_DIR": str(runtime),
            "PYTHONPATH": str(REPOSITORY),
            "HARNESS_STATE_DIR": str(directory / "state"),
            "TOY_LOG": str(self.log_file),
            "PYTHONUNBUFFERED": "1",
        }
        if not measured:
            self.environment = unmeasured(self.environment)
        # Without the cache of rewritten modules each inner session takes twice as long.
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the suite."""
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a run."""
        others = ["randomly", "cacheprovider", "pytest_cov", "hypothesispytest", "anyio"]
        if not any(argument.startswith("--alluredir") for argument in arguments):
            others.append("allure_pytest")
        quiet = [argument for name in others for argument in ("-p", f"no:{name}")]
        return [sys.executable, "-m", "pytest", "-rA", *quiet, *arguments]

    def run(self, *arguments: str, measured: bool = True) -> Result:
        """Run it to its end.

        :param arguments: for pytest.
        :param measured: ``False`` where nothing new is run, in a module whose sessions are measured.
        """
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env=self.environment if measured else unmeasured(self.environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it, in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def log(self) -> list[str]:
        """What the vendor's parts were told."""
        return self.log_file.read_text(encoding="utf-8").splitlines() if self.log_file.exists() else []

    @property
    def left_behind(self) -> list[Path]:
        """What is left of its sessions."""
        return sorted((self.runtime / "s").rglob("*"))


class Result:
    """How a run ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome by test name, from pytest's own short summary."""
        found = {}
        for line in self.out.splitlines():
            outcome, _, rest = line.partition(" ")
            if outcome in {"PASSED", "FAILED", "ERROR"} and "::" in rest:
                found[rest.split(" - ")[0].split("::", 1)[1]] = outcome.lower()
        return found

    def lines_with(self, text: str) -> list[str]:
        """Return the lines of the output that hold a text."""
        return [line for line in self.out.splitlines() if text in line]


@pytest.fixture
def suite(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Suite]:
    """An empty suite."""
    runtime = Path(tempfile.mkdtemp(prefix="hp"))
    yield Suite(tmp_path, runtime, measured=getattr(request.module, "MEASURED", False))
    shutil.rmtree(runtime)
