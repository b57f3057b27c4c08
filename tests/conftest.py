"""What all tests of the harness share: ledger and leases of their own; in CI a skipped test is a failure."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

CI_VARIABLE, SOAK_VARIABLE = "HARNESS_CI", "HARNESS_SOAK_SCALE"

# A slow moment of the machine is no defect. In CI all but the soak take the same examples each time, as is
# hypothesis's own way there: what a push did not touch does not fail it. Elsewhere each run looks for others.
settings.register_profile(
    "harness",
    deadline=None,
    derandomize=bool(os.environ.get(CI_VARIABLE)) and not os.environ.get(SOAK_VARIABLE),
)
settings.load_profile("harness")


def pytest_configure(config: pytest.Config) -> None:
    """Keep ledger and leases of whatever the tests start apart from the user's own."""
    state = tempfile.TemporaryDirectory(prefix="harness-tests-")
    config.add_cleanup(state.cleanup)
    os.environ["XDG_STATE_HOME"] = state.name
    os.environ["HARNESS_LEASE_DIR"] = f"{state.name}/leases"
    _share(config, "usb_lab_for_tests", "virtual/usb/lab.py")


def _share(config: pytest.Config, name: str, path: str) -> None:
    """Give every test the fixtures of a module that stands with what it is about."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config.pluginmanager.register(module, name)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for skipped tests when ``HARNESS_CI`` is set: there everything is installed."""
    reporter: TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get(CI_VARIABLE):
        return
    skipped = len(reporter.stats.get("skipped", []))
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"{skipped} skipped: a failure because {CI_VARIABLE} is set", red=True)
