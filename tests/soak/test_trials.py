"""Trials: a worker is killed or a board goes away in whatever phase of a test, and every account balances.

Each trial is a real session of pytest on three boards whose moment is left to chance; only a trial that hit a
running test counts. The boards are those of a virtual bench, or of a virtual USB lab when cables are pulled.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness.health.quarantine import SUFFIX
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from tests.soak.support.rounds import SCALE, SEED
from tests.soak.support.trial import (
    BLINK,
    CABLE,
    HANG,
    WORKER,
    Judge,
    Plan,
    Strike,
    Trial,
    Word,
    locked_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TRIALS = max(6, round(200 * SCALE))
MOST_MISSES = 24
SECONDS_FOR_PROCESSES = 5.0
PAIR, SINGLE = "nrf9160dk", "nrf9151dk"
SERIALS = {"000960000001": PAIR, "000960000002": PAIR, "001051200003": SINGLE}


class Site:
    """Boards that outlive the sessions of the trials.

    :ivar kinds: of the two equal boards, and of the single one.
    :ivar options: by which a session uses them.
    :ivar environment: of the processes that see them.
    """

    def __init__(
        self, client: BenchClient, directory: Path, *, options: list[str], environment: Mapping[str, str]
    ) -> None:
        """Use a bench.

        :param directory: the bench's.
        """
        self._client = client
        self._directory = directory
        self.attached = "attached" in options
        self.options = options
        self.environment = environment
        self.kinds = (PAIR, SINGLE) if self.attached else (f"{PAIR}-virtual", f"{SINGLE}-virtual")

    def cable(self, board: str) -> Any:
        """Return the controls of a board, by what sessions call it."""
        for state in self._client.boards():
            if board in {state.id, (state.usb or {}).get("serial")}:
                return self._client.board(state.id)
        raise AssertionError(f"no board {board}")

    @property
    def boards(self) -> list[str]:
        """What sessions call the boards."""
        return list(SERIALS) if self.attached else [state.id for state in self._client.boards()]

    def mend(self) -> None:
        """Put every cable in, end every fault and every quarantine."""
        for state in self._client.boards():
            if state.hung is not None:
                self._client.remove(state.id)
                self._client.add(state.kind, id=state.id)
            controls = self._client.board(state.id)
            controls.plug()
            controls.clear_faults()
        for record in self._directory.glob(f"leases/*{SUFFIX}"):
            record.unlink()  # of boards that a trial had to quarantine

    @property
    def leases(self) -> Path:
        """Where leases of virtual boards are."""
        return self._directory / "leases"


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A short path for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="tr-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def sites(directory: Path, usb_lab_factory: Callable[..., Any]) -> Iterator[dict[bool, Site]]:
    """A virtual bench, and a virtual USB lab (``True``)."""
    with ExitStack() as stack:
        bench = stack.enter_context(
            start_bench(directory / "v", [(f"{kind}-virtual", None, {}) for kind in SERIALS.values()])
        )
        client = stack.enter_context(BenchClient(bench.socket))
        virtual = Site(
            client, bench.directory, options=["--bench", f"virtual={bench.socket}"], environment={}
        )
        lab = stack.enter_context(usb_lab_factory(directory / "u"))
        for number, (serial, kind) in enumerate(SERIALS.items(), 1):
            lab.client.add(f"{kind}-virtual", usb={"serial": serial, "port": f"1-1.{number}"})
        attached = Site(
            lab.client,
            lab.bench.directory,
            options=["--bench", "attached", "--return-deadline", "1", "--reconnect", "0.3"],
            environment=lab.bench.usb_environment,
        )
        yield {False: virtual, True: attached}


def environment_of(site: Site, directory: Path) -> dict[str, str]:
    """Return the environment of a session: nothing of this one, and state of its own."""
    outer = ("PYTEST", "HARNESS", "ALLURE", "COV", "UMOCKDEV", "LD_PRELOAD")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    for name in ("LEASE", "RUNTIME", "STATE"):
        variables[f"HARNESS_{name}_DIR"] = str(directory / name.lower())
    return {**variables, **site.environment}


def strike(trial: Trial, site: Site, spoken: Word, random: Random) -> Strike:
    """Let the victim go away: as a rule that of the test which spoke, at times another one that runs."""
    plan = trial.plan
    if plan.victim == WORKER:
        struck = Strike(pid=random.choice([*[spoken.pid] * 3, *trial.pids]))
        assert struck.pid is not None
        with suppress(ProcessLookupError):  # it has come to its end
            os.kill(struck.pid, signal.SIGKILL)
    else:
        lent = spoken.boards or sorted({board for word in trial.running for board in word.boards})
        board = random.choice(lent or site.boards)
        controls = site.cable(board)
        struck = Strike(board=board)
        if plan.victim == HANG:
            controls.hang(plan.until)
        else:
            controls.unplug()
        if plan.victim == BLINK:
            threading.Event().wait(plan.away)
            controls.plug()
    struck.after = time.monotonic()
    return struck


@pytest.mark.parametrize("number", range(TRIALS))
def test_trial(
    number: int,
    sites: dict[bool, Site],
    directory: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Accounts balance in all four places, nothing runs twice unreported, nothing hangs or stays behind."""
    for miss in range(MOST_MISSES):
        random = Random(f"{SEED} trials {number} {miss}")  # noqa: S311 - to be repeatable is the point
        plan = Plan.make(number, random)
        site = sites[plan.victim in {CABLE, BLINK} or random.random() < 0.3]
        if plan.victim == HANG:
            site = sites[False]
        here = tmp_path / str(miss)
        here.mkdir()
        own = Path(tempfile.mkdtemp(prefix="t", dir=directory))
        print(f"seed {SEED}, trial {number}.{miss}: {plan}, {'USB' if site.attached else 'virtual'}")  # noqa: T201
        site.mend()
        with Trial(here, plan, kinds=site.kinds, environment=environment_of(site, own)) as trial:
            trial.begin(*site.options)
            spoken = trial.wait_for_moment()
            struck = Strike() if spoken is None else strike(trial, site, spoken, random)
            status = trial.end()
            print(trial.output)  # noqa: T201 - what a failure shows
            judge = Judge(trial, struck, status)
            assert list(judge.complaints()) == []
            assert locked_files(own / "lease", site.leases) == []
            assert trial.wait_for_no_process(SECONDS_FOR_PROCESSES) == {}
            assert list((own / "runtime").glob("s/*")) == []
        if judge.hit is not None:
            record_property("soak", f"{plan}: hit {judge.hit}")
            return
    pytest.fail(f"{MOST_MISSES} times nobody was hit")
