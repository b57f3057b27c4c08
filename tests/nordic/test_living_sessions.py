"""A session's ledger is never swept while it lives: a second session started beside it proves it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, BackendSession
from harness.backends.launcher import start_fake
from harness.backends.ledger import Ledger
from harness_nordic import plugin
from harness_nordic.client import connect
from tests.soak.support.kill_trial import Plan, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CERTIFICATE = (ROOT / "suites/nrfcloud/material/root-ca-1.pem").read_text()
KEY = "living-sessions-0123456789abcdef"
HELD_AFTER_ITS_CLAIM = Plan(
    victim="nobody", phase="command", test=0, holds=True, workers=0, shares_bench=False, shares_fake=True
)
NEVER_HELD = Plan(
    victim="nobody", phase="never", test=0, holds=False, workers=0, shares_bench=False, shares_fake=True
)
EVERYBODY_IS_DEAD = """
import harness.backends.ledger
import harness.recovery
import harness.sweeping

for module in (harness.backends.ledger, harness.recovery, harness.sweeping):
    module.is_alive = lambda run_id: False
"""


class Rig:
    """One fake that is nobody's, and two sessions with benches of their own and one ledger."""

    def __init__(self, directory: Path, fake: Backend) -> None:
        self.fake = fake
        self.state = directory / "state"
        outer = ("PYTEST", "HARNESS", "ALLURE", "COV")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
        self.environment |= {
            "HARNESS_RUNTIME_DIR": str(directory / "run"),
            "HARNESS_STATE_DIR": str(self.state),
            "NRFCLOUD_API_KEY": KEY,
            "PYTHONPATH": str(directory),
        }
        (directory / "everybody_is_dead.py").write_text(EVERYBODY_IS_DEAD)

    @property
    def options(self) -> list[str]:
        """Return what both sessions are told."""
        return ["--bench", "virtual", "--boards", "1", "--backend", f"nrfcloud={self.fake.url}"]

    def session(self, directory: Path, plan: Plan) -> Session:
        """Prepare a session."""
        directory.mkdir()
        return Session(
            directory,
            plan,
            certificate=CERTIFICATE,
            control=self.fake.control,
            environment=self.environment,
        )

    def claimed(self) -> list[str]:
        """Return what the service says is claimed."""
        client = connect(
            Backend(name="nrfcloud", mode="url", url=self.fake.url),
            BackendSession(run_id="outside", worker="main"),
        )
        try:
            return [device.id for device in client.devices()]
        finally:
            client.close()

    def sweep(self) -> subprocess.CompletedProcess[str]:
        """Run ``harness sweep --yes``."""
        command = [sys.executable, "-m", "harness.cli", "sweep", "--yes"]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A fake that outlives the sessions."""
    monkeypatch.setenv("NRFCLOUD_API_KEY", KEY)
    (spec,) = plugin.harness_backends()
    with tempfile.TemporaryDirectory(prefix="ls-") as directory:
        path = Path(directory)
        with start_fake(spec, path, lifeline=None, options={"team-key": KEY}) as fake:
            yield Rig(path, fake.backend)


def test_living_session_is_left_alone(rig: Rig, tmp_path: Path) -> None:
    """Beside a session that holds a claim a second one runs, and a sweep: both leave the claim alone.

    The first session then provisions the device that it still owns, and undoes everything itself.
    """
    with (
        rig.session(tmp_path / "first", HELD_AFTER_ITS_CLAIM) as first,
        rig.session(tmp_path / "second", NEVER_HELD) as second,
    ):
        first.begin(*rig.options)
        pid = first.wait_for_phase()
        with Ledger(rig.state) as ledger:
            noted = ledger.entries(kind="claim")
        assert [entry.subject for entry in noted] == rig.claimed()
        assert len(noted) == 1

        second.begin(*rig.options)
        output = second.end()
        swept = rig.sweep()

        assert "6 passed" in output, output
        assert "dead session" not in output
        assert swept.returncode == 0, swept
        assert f"In use by session {noted[0].session}" in swept.stdout
        assert f"pid {pid} " in swept.stdout
        assert "Nothing to sweep" in swept.stdout
        assert rig.claimed() == [noted[0].subject]
        with Ledger(rig.state) as ledger:
            assert ledger.entries(kind="claim") == noted

        first.let_go()
        assert "6 passed" in first.end()
    assert rig.claimed() == []
    with Ledger(rig.state) as ledger:
        assert ledger.entries() == []


@pytest.mark.parametrize("how", ["session", "sweep"])
def test_sweeping_a_living_session_is_noticed(rig: Rig, tmp_path: Path, how: str) -> None:
    """The test above would notice: who takes living sessions for dead unclaims the device under the first."""
    with (
        rig.session(tmp_path / "first", HELD_AFTER_ITS_CLAIM) as first,
        rig.session(tmp_path / "second", NEVER_HELD) as second,
    ):
        first.begin(*rig.options)
        first.wait_for_phase()
        assert len(rig.claimed()) == 1
        rig.environment["HARNESS_PLUGINS"] = second.environment["HARNESS_PLUGINS"] = "everybody_is_dead"

        said = str(second.next_session(*rig.options)) if how == "session" else str(rig.sweep())

        assert rig.claimed() == [], said
        first.let_go()
        output = first.end()
        assert "1 failed, 5 passed" in output, output
