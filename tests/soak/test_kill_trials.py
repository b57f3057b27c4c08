"""Kill trials: whoever of a session is killed, in whatever phase of a test, the next one puts all right.

Each trial is a real session of pytest on virtual boards with the real driver, client and fake.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, BackendSession
from harness.backends.launcher import start_fake
from harness.backends.ledger import Ledger
from harness.inventory.leases import Leases
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic import plugin
from harness_nordic.client import connect, enrol
from tests.soak.support.kill_trial import Accounts, Plan, Session
from tests.soak.support.rounds import SCALE, SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.board import Board

TRIALS = max(6, round(60 * SCALE))
SECONDS_FOR_LEASES = 1.0
SECONDS_FOR_PROCESSES = 5.0
KINDS = ("nrf9151dk-virtual", "nrf9160dk-virtual")
API_KEY = "kill-trials-0123456789abcdef"
CERTIFICATE = Path(__file__).parents[2] / "suites/nrfcloud/material/root-ca-1.pem"


class Site:
    """A bench and a fake that outlive the sessions of the trials.

    :ivar boards: the boards of the bench, as sessions find them.
    """

    def __init__(self, directory: Path, resources: ExitStack) -> None:
        """Start both and make the boards known to the fake."""
        (spec,) = plugin.harness_backends()
        fake = start_fake(spec, directory, lifeline=None, options={"team-key": API_KEY})
        self._fake = resources.enter_context(fake).backend
        bench = start_bench(directory / "bench", [(kind, None, {}) for kind in KINDS])
        self._bench = resources.enter_context(bench).socket
        with BenchClient(self._bench) as client:
            ids = [board.id for board in client.boards()]
            for board_id in ids:
                enrol(self._fake, client.board(board_id).call("factory_record"))
        self.boards = self._find_boards()
        assert [board.id for board in self.boards] == sorted(ids)

    def _find_boards(self) -> list[Board]:
        from harness.config import BenchChoice, Settings
        from harness.plugins import load_plugins

        settings = Settings(bench=BenchChoice(kind="virtual", socket=self._bench))
        found = load_plugins().hook.harness_discover_boards(settings=settings)
        return sorted((board for boards in found for board in boards), key=lambda board: board.id)

    def options(self, plan: Plan) -> list[str]:
        """Return what a session is told."""
        bench = f"virtual={self._bench}" if plan.shares_bench else "virtual"
        fake = self._fake.url if plan.shares_fake else "fake"
        return ["--bench", bench, "--boards", "2", "--backend", f"nrfcloud={fake}"]

    @property
    def control(self) -> str | None:
        """The control socket of the fake."""
        return self._fake.control

    def claimed(self) -> list[str]:
        """Return the ids of the devices that are claimed at the fake, as the service tells them."""
        backend = Backend(name="nrfcloud", mode="url", url=self._fake.url)
        client = connect(backend, BackendSession(run_id="outside", worker="main"))
        try:
            return [device.id for device in client.devices()]
        finally:
            client.close()


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The environment of all trials: nothing of this session, and a short path for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="kt-"))
    outer = ("PYTEST", "HARNESS", "ALLURE", "COV")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    variables["HARNESS_RUNTIME_DIR"] = str(directory / "run")
    variables["HARNESS_STATE_DIR"] = str(directory / "state")
    variables["NRFCLOUD_API_KEY"] = API_KEY
    yield variables
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def site(environment: dict[str, str]) -> Iterator[Site]:
    """What the sessions share."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as resources:
        patch.setenv("NRFCLOUD_API_KEY", API_KEY)
        directory = Path(environment["HARNESS_STATE_DIR"]).parent / "site"
        directory.mkdir()
        yield Site(directory, resources)


@pytest.fixture
def ledger(environment: dict[str, str]) -> Iterator[Ledger]:
    """The ledger of all trials."""
    directory = Path(environment["HARNESS_STATE_DIR"])
    directory.mkdir(mode=0o700, exist_ok=True)
    with Ledger(directory) as ledger:
        yield ledger


@pytest.mark.parametrize("number", range(TRIALS))
def test_kill(
    number: int,
    site: Site,
    ledger: Ledger,
    environment: dict[str, str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Nothing stays behind but what the next session undoes, and every test is accounted for."""
    plan = Plan.make(number, Random(f"{SEED} kill {number}"))  # noqa: S311 - to be repeatable is the point
    print(f"seed {SEED}, trial {number}: {plan}")  # noqa: T201 - what a failure shows
    record_property("soak", str(plan))
    certificate = CERTIFICATE.read_text()
    control = site.control if plan.shares_fake else None
    with Session(
        tmp_path, plan, certificate=certificate, control=control, environment=environment
    ) as session:
        session.begin(*site.options(plan))
        worker = session.wait_for_phase()
        session.kill(worker)
        if plan.victim == "controller":
            # A lease is free when the kernel has closed its file, however long the others take to end.
            with Leases("probe") as probe:
                probe.take(site.boards, deadline=SECONDS_FOR_LEASES)
            assert session.wait_for_no_process(SECONDS_FOR_PROCESSES) == {}
            output = session.end()
        else:
            session.let_go()
            output = session.end()
            print(output)  # noqa: T201 - what a failure shows
            crashed = f"test_it[{plan.test}]" if plan.victim == "worker" else None
            accounts = Accounts(output, tmp_path)
            assert accounts.complaints(crashed) == []
            assert "INTERNALERROR" not in output
            assert session.process is not None
            # A victim that is killed while the last test runs on may die after that has passed.
            assert session.process.returncode == (0 if accounts.all_passed else 1)
            assert not (accounts.all_passed and plan.holds)
            with Leases("probe") as probe:
                probe.take(site.boards, deadline=0)
            assert session.wait_for_no_process(SECONDS_FOR_PROCESSES) == {}

        left = ledger.entries()
        after = session.next_session(*site.options(plan))

        print(after.stdout, after.stderr)  # noqa: T201 - what a failure shows
        assert after.returncode == 0
        claims = [entry for entry in left if entry.kind == "claim" and entry.mode == "url"]
        changed = {entry.subject for entry in left if entry.kind == "board-state" and entry.mode == "virtual"}
        found = f"dead sessions had left {len(claims)} thing{'' if len(claims) == 1 else 's'} in services"
        assert (found in after.stdout) == bool(claims)
        assert (f"dead sessions had changed {len(changed)} of these boards" in after.stdout) == bool(changed)
        assert "NOT undone" not in after.stdout
        assert ledger.entries() == []
        assert site.claimed() == []
        assert session.wait_for_no_process(SECONDS_FOR_PROCESSES) == {}
    runtime = Path(environment["HARNESS_RUNTIME_DIR"])
    assert list((runtime / "s").iterdir()) == []
    assert list((Path(environment["HARNESS_STATE_DIR"]) / "sessions").iterdir()) == []
