"""Power cuts of a component at any step, many times over: blank or whole, one device, and a retry succeeds.

Each round makes a system of its own, lets the board pass all points once, and then lets the power go at some
of them by chance. What is judged is told in :mod:`harness_guardian.power_trials`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_guardian.attempting import Device
from harness_guardian.client import connect
from harness_guardian.client_definitions import INFUSION_PUMP
from harness_guardian.introduction import introduce
from harness_guardian.peers import SENSOR
from harness_guardian.plugin import harness_backends
from harness_guardian.power_trials import PowerTrial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.soak.support.rounds import Rounds

ROUNDS = 300
CUTS = 3


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[tuple[LeasedBoard, Any]]:
    """A component on a bench of its own, and a client of a fake."""
    (spec,) = harness_backends()
    with (
        start_bench(tmp_path / "b", [("guardian-component-virtual", "gc", {})]) as bench,
        start_fake(spec, tmp_path, lifeline=None) as fake,
        BenchClient(bench.socket) as controls,
    ):
        state = controls.board("gc").state()
        description = Board(
            id=state.id,
            kind=state.kind,
            driver="guardian-component",
            capabilities=frozenset({"provisioning-agent", "virtual"}),
            bench=str(bench.socket),
            endpoints={role: Endpoint(role=role, url=str(path)) for role, path in state.ports.items()},
        )
        board = LeasedBoard(description, load_plugins(), capture_directory=None)
        introduce(board, fake.backend)
        client = connect(fake.backend, BackendSession(run_id="soak", worker="main"))
        try:
            yield board, client
        finally:
            client.close()
            board.close()


def test_power_cuts_at_random(rounds: Rounds, rig: tuple[LeasedBoard, Any]) -> None:
    """Behind each cut the board is as it was or whole, the next try succeeds, and one device is counted."""
    board, guardian = rig
    for number, random in enumerate(rounds.run(ROUNDS)):
        guardian.dwell(random.choice((0.0, 0.0, 0.01)))
        component = random.choice((SENSOR, INFUSION_PUMP))
        again = number % 2 == 1
        system = guardian.create_system(components=[component])
        device = Device(board, guardian, system, component=component.name)
        if again:
            assert device.attempt().ended_well
            counts = Counter(name for name, _detail in PowerTrial(device, reprovision=True).points())
        else:
            counts = Counter(name for name, _detail in PowerTrial(device, reprovision=False).points())
        for _cut in range(CUTS):
            if not again:
                board.driver.restore()
                device = Device(board, guardian, system, component=component.name)
            point = random.choice(sorted(counts))
            recovery = PowerTrial(device, reprovision=again).cut(point, random.randint(1, counts[point]))
            kind = "reprovision" if again else "initial"
            rounds.count(f"{kind}: {point}, {'whole' if recovery.installed else 'blank'}")
        guardian.undo()
        board.driver.restore()
        board.virtual.clear_faults()
