"""A virtual USB lab for the tests, and processes in it. ``tests/conftest.py`` gives everybody the fixture.

Only a process that was started with the lab's environment sees what is plugged in: the test itself does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.health.quarantine import SUFFIX
from harness.virtual.client import BenchClient
from harness.virtual.launcher import RunningBench, start_bench
from harness.virtual.usb.environment import lab_environment
from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.virtual.contract import VirtualKind

RUN_SECONDS = 60.0


class Lab:
    """A running bench with a USB lab.

    :ivar bench: the bench.
    :ivar client: its client.
    :ivar environment: the whole environment of a process that sees the lab.
    """

    def __init__(self, bench: RunningBench, client: BenchClient) -> None:
        """Use a bench."""
        self.bench = bench
        self.client = client
        # Of its own, and not the host's: boards of one lab have the serial numbers of another's.
        self.leases = bench.socket.parent / "leases-of-attached"
        self.environment = {
            **os.environ,
            **bench.usb_environment,
            "HARNESS_LEASE_DIR": str(self.leases),
        }

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        measured: bool = True,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the lab and return what it said; further options are ``subprocess.run``'s.

        :param argv: the command.
        :param env: further variables.
        :param measured: whether coverage measures it, where it measures us.
        """
        settings = {"capture_output": True, "text": True, "timeout": RUN_SECONDS, **options}
        environment = {**self.environment, **(env or {})}
        if not measured:
            environment = unmeasured(environment)
        return subprocess.run(argv, check=False, env=environment, **settings)

    def python(self, code: str, *arguments: str, **options: Any) -> str:
        """Run Python code in the lab and return what it printed; it has to end well."""
        ran = self.run([sys.executable, "-c", code, *arguments], **options)
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        return str(ran.stdout)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Wait for what no event tells of; fail when it does not come.

        :param condition: asked again and again.
        :param what: what is waited for.
        :param seconds: how long.
        """
        pause = threading.Event()
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            pause.wait(0.02)

    def open(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """Start a command in the lab; its end is the caller's to see to."""
        return subprocess.Popen(argv, env=self.environment, text=True, **options)


@pytest.fixture(scope="session")
def usb_lab_factory() -> Callable[..., Any]:
    """Give a context manager that starts a bench with a USB lab; skips where umockdev is missing.

    In a fixture of module scope: ``with usb_lab_factory(tmp_path_factory.mktemp("u")) as lab:``.
    """
    try:
        lab_environment(Path(tempfile.gettempdir()) / "usb")
    except UsageError as error:
        pytest.skip(str(error))

    @contextmanager
    def start(directory: Path, *, extra_kinds: Iterable[VirtualKind] = (), **options: Any) -> Iterator[Lab]:
        with ExitStack() as stack:
            bench = start_bench(directory / "bench", usb=True, extra_kinds=extra_kinds, **options)
            stack.enter_context(bench)
            yield Lab(bench, stack.enter_context(BenchClient(bench.socket)))

    return start


@pytest.fixture(scope="module")
def shared_usb_lab(
    usb_lab_factory: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """One lab for a module."""
    with usb_lab_factory(tmp_path_factory.mktemp("u")) as lab:
        yield lab


@pytest.fixture
def usb_lab(shared_usb_lab: Lab) -> Iterator[Lab]:
    """The module's lab: ``client``, ``environment``, ``run``, ``python``; empty again after the test."""
    yield shared_usb_lab
    for quarantine in shared_usb_lab.leases.glob(f"*{SUFFIX}"):
        quarantine.unlink()
    for state in shared_usb_lab.client.boards():
        shared_usb_lab.client.remove(state.id)
