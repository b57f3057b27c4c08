"""Cuts of a device's power and of its SSH at every moment of a provisioning, in an order by chance.

The moments are counted in one run that nothing disturbs. At scale 1 each of them is cut once, in a first
provisioning and in one with another certificate; of the writes of a copy, which are alike, the seed chooses
some. What is judged is told in :mod:`harness_pelion.power_trials`; behind a cut of the client's exchanges
it is still one device.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.errors import BoardLost
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_pelion.client import connect
from harness_pelion.enums import DeviceState
from harness_pelion.plugin import harness_backends
from harness_pelion.power_trials import CONNECTIONS, ProvisioningTrial
from harness_pelion.update_material import update_resources
from tests.soak.support.rounds import SEED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness_pelion.driver import MblDriver
    from harness_pelion.resources import DeveloperCredentials
    from tests.soak.support.rounds import Rounds

SECONDS = 30.0
SSH = "SSH"
WRITES, SOME = ("before write", "after write"), 40
EXCHANGES = ("before exchange", "after exchange")
OLD, NEW = update_resources("old", domain="example.com"), update_resources("new")


@dataclass(frozen=True, order=True)
class Moment:
    """Where to cut.

    :ivar again: in a provisioning of a device that was provisioned before.
    :ivar place: a point of the power, or ``SSH`` with a moment of it.
    :ivar nth: at which of its passings.
    """

    again: bool
    place: str
    nth: int


@dataclass(frozen=True)
class Rig:
    """A device on a bench of its own, an account, and two certificates of it."""

    board: LeasedBoard
    account: Any
    old: DeveloperCredentials
    new: DeveloperCredentials

    def prepare(self, *, again: bool) -> ProvisioningTrial:
        """Make the device what it is before; its client, which has points of its own, has no network."""
        self.board.virtual.call("forget")
        self.board.virtual.call("set_link", up=False)
        if again:
            assert self.board.driver.provision(self.old, OLD).ok
        return ProvisioningTrial(self.board, self.new, NEW)

    def register(self) -> None:
        """Wait until the device is registered, as device and directory say."""
        self.board.driver.wait_until_registered(SECONDS)
        self.account.wait_for_device(
            ca_id=self.new.endpoint_name, state=DeviceState.REGISTERED, timeout=SECONDS
        )

    def start_client(self) -> None:
        """Let the client begin from what provisioning gave it."""
        self.board.virtual.call("forget")
        self.account.forget_devices()
        self.board.virtual.call("set_link", up=True)
        assert self.board.driver.provision(self.new, NEW).ok
        self.board.virtual.call("clear_points")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Everything that is cut, and the service that sees it."""
    (spec,) = harness_backends()
    options = {"client_timeout_s": 2.0, "retry_first_s": 0.05, "retry_longest_s": 0.2}
    with (
        start_bench(tmp_path / "b", [("mbl-device-virtual", "mbl", options)]) as bench,
        start_fake(spec, tmp_path, lifeline=None) as fake,
        BenchClient(bench.socket) as controls,
    ):
        state = controls.board("mbl").state()
        description = Board(
            id=state.id,
            kind=state.kind,
            driver="mbl",
            capabilities=frozenset({"virtual"}),
            bench=str(bench.socket),
            endpoints={role: Endpoint(role=role, url=str(path)) for role, path in state.ports.items()},
        )
        board = LeasedBoard(description, load_plugins(), capture_directory=None)
        account = connect(fake.backend, BackendSession(run_id="soak", worker="main"))
        old, new = (
            account.create_developer_certificate(account.own_name(name)).credentials()
            for name in ("old", "new")
        )
        try:
            yield Rig(board, account, old, new)
        finally:
            account.undo()
            account.close()
            board.close()


def count(points: list[tuple[str, str]], *, again: bool) -> Iterator[Moment]:
    """Return a moment for each passing of a point."""
    for place, times in Counter(name for name, _detail in points).items():
        yield from (Moment(again, place, nth) for nth in range(1, times + 1))


def all_moments(rig: Rig) -> list[Moment]:
    """Return each moment of both kinds of provisioning, and of the client's way to its registration."""
    found: list[Moment] = []
    for again in (False, True):
        trial = rig.prepare(again=again)
        rig.board.virtual.call("connections", clear=True)
        points = trial.points()
        commands = [one["commands"] for one in rig.board.virtual.call("connections")][:CONNECTIONS]
        run = sum(len(each) for each in commands)
        files = len(rig.new.bin_files) + len(NEW.bin_files)
        found += count(points, again=again)
        for when, times in {
            "connection": CONNECTIONS,
            "login": CONNECTIONS,
            "command": run,
            "answer": run,
            "file": files,
        }.items():
            found += [Moment(again, f"{SSH} {when}", nth) for nth in range(1, times + 1)]
    rig.start_client()
    rig.board.driver.restart_client()
    rig.register()
    exchanges = [each for each in rig.board.virtual.call("points") if each[0] in EXCHANGES]
    assert len(exchanges) >= 2 * len(EXCHANGES)
    return sorted({*found, *count(exchanges, again=False)})


def chosen(moments: list[Moment], dice: Random) -> list[Moment]:
    """Return the moments in an order by chance, with some of the writes only."""
    alike = [each for each in moments if each.place in WRITES]
    found = [each for each in moments if each.place not in WRITES]
    found += dice.sample(alike, min(SOME, len(alike)))
    dice.shuffle(found)
    return found


def wait_for_boot(driver: MblDriver, before: str) -> None:
    """Wait until the device has booted since; its client may have come to the point only now.

    :param before: the id of the boot that it was in.
    """
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with suppress(BoardLost):
            if driver.boot_id() != before:
                return
        threading.Event().wait(0.02)  # nobody tells from afar that a device boots
    raise AssertionError("the device never came to the point, or never came back")


def cut_in_exchange(rig: Rig, moment: Moment) -> str:
    """Cut the power in the client's way to its registration; behind it there is one device."""
    rig.start_client()
    driver = rig.board.driver
    boot = driver.boot_id()
    rig.board.virtual.call("cut_power_at", point=moment.place, nth=moment.nth, comes_back=True)
    with suppress(BoardLost):  # it may be gone before it says how the command ended
        driver.device.execute("systemctl restart mbl-cloud-client")
    wait_for_boot(driver, boot)
    rig.register()
    assert len(rig.account.devices(ca_id=rig.new.endpoint_name)) == 1
    return "registered, one device"


def cut(rig: Rig, moment: Moment) -> str:
    """Cut, and return how the device was left."""
    if moment.place in EXCHANGES:
        return cut_in_exchange(rig, moment)
    trial = rig.prepare(again=moment.again)
    if moment.place.startswith(SSH):
        return str(trial.cut_ssh(moment.nth, moment.place.removeprefix(f"{SSH} ")).left)
    return str(trial.cut_power(moment.place, moment.nth).left)


def test_cuts_at_every_moment(rounds: Rounds, rig: Rig) -> None:
    """Behind each cut the device holds the old, the new, or is not configured; the next try succeeds."""
    moments = chosen(all_moments(rig), Random(SEED))  # noqa: S311 - to be repeatable is the point
    for _random in rounds.run(len(moments)):
        moment = moments[rounds.number % len(moments)]
        left = cut(rig, moment)
        rounds.count(f"{'again' if moment.again else 'first'}: {moment.place}, {left}")
        rig.board.virtual.clear_faults()
