"""Sessions of the breaks: what they are told, and that none outlives its deadline."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.breaks.support.catalogue import ROOT, SUITE, Sort
from tests.breaks.support.sessions import SessionPool, environment, options

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# Waits for ever, and so does its child, whose process id it tells first.
HANGING = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
child.wait()
"""


def test_environment_of_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session knows its break and nothing of the session around it."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("HARNESS_PLUGINS", "other")

    broken = environment("tests.breaks.block_ignored", tmp_path)

    assert broken["HARNESS_PLUGINS"] == "tests.breaks.block_ignored"
    assert broken["PYTHONPATH"] == str(ROOT)
    assert "PYTEST_ADDOPTS" not in broken
    assert "HARNESS_PLUGINS" not in environment("", tmp_path)
    # Tests of the harness start sessions that need other plugins; those of the suite do not.
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" in broken
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in environment("", tmp_path, Sort.HARNESS)


def test_each_suite_runs_against_its_own_service() -> None:
    """A suite is called as its service is; tests of the harness are told of none."""
    assert "--backend=nrfcloud=fake" in options(Sort.SUITE)
    assert "--backend=guardian=fake" in options(Sort.SUITE, "suites/guardian")
    assert "--backend=nrfcloud=fake" not in options(Sort.SUITE, "suites/guardian")
    assert not [option for option in options(Sort.HARNESS) if "backend" in option]


def test_session_that_hangs_is_killed_with_its_children() -> None:
    """After the deadline neither the session nor what it started is there any more."""
    with SessionPool(seconds=1.0) as pool:
        code, output = pool._call([sys.executable, "-c", HANGING], {})

    # The child holds the pipe too: that the output ended says that both are gone.
    assert code == -9
    assert output.splitlines()[0].isdecimal()
    assert "killed: the session took more than 1 s" in output


def test_pool_that_is_closed_runs_nothing() -> None:
    """What was waiting when the pool was closed is not begun."""
    pool = SessionPool()
    with pool:
        pass

    assert pool._call([sys.executable, "-c", "print('ran')"], {}) == (-9, "not run: the pool was closed")


def test_break_that_does_not_load_ends_the_session(pool: SessionPool) -> None:
    """A break whose module cannot be imported is an error of the whole session, never a silent pass."""
    result = pool.submit(
        [f"{SUITE}/test_blocking.py::test_block"], plugin="tests.breaks.no_such_break"
    ).result(120)

    assert result.code != 0
    assert result.cases == ()
    assert "no_such_break" in result.output
