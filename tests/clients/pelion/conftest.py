"""Fixtures of Pelion's real clients: one fake and one device for each worker, an account for each test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_pelion.client import connect
from harness_pelion.plugin import harness_backends
from tests.clients.pelion.world import CLIENTS, GOLDEN, MANIFEST_TOOL_1, Mbl, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.backends.launcher import RunningFake
    from harness.virtual.client import VirtualBoardControls
    from tests.clients.transcripts import Transcript


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Skip everything where the tools are not installed; ``make clients`` installs them."""
    if not ((CLIENTS / "manifest-dev-tool").exists() and MANIFEST_TOOL_1.exists()):
        pytest.skip("Pelion's clients are not installed: make clients")


@pytest.fixture(scope="session")
def pelion_fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFake]:
    """A served fake."""
    (spec,) = harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("pelion"), lifeline=None) as running:
        yield running


@pytest.fixture
def world(
    pelion_fake: RunningFake, request: pytest.FixtureRequest, transcript: Transcript, tmp_path: Path
) -> Iterator[World]:
    """What runs clients, in an account of the test's own."""
    keys: list[str] = []

    def secret(value: str, label: str) -> None:
        keys.append(value)
        transcript.secret(value, label)

    session = BackendSession(run_id="clients", worker=request.node.nodeid, register_secret=secret)
    client = connect(pelion_fake.backend, session)
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    shutil.copy(GOLDEN / "update_1_5_2.c", home / "update_default_resources.c")
    yield World(home, client, keys[0], transcript)
    client.undo()
    client.close()


@pytest.fixture(scope="session")
def only_device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualBoardControls]:
    """A virtual device behind SSH."""
    kinds = [("mbl-device-virtual", "mbl", {"client_timeout_s": 5})]
    with start_bench(tmp_path_factory.mktemp("b"), kinds) as running, BenchClient(running.socket) as bench:
        yield bench.board("mbl")


@pytest.fixture
def device(only_device: VirtualBoardControls) -> Iterator[VirtualBoardControls]:
    """The device, as it came from its factory."""
    only_device.call("connections", clear=True)
    yield only_device
    only_device.call("clear_faults")
    only_device.call("forget")


@pytest.fixture
def mbl(world: World, device: VirtualBoardControls) -> Mbl:
    """The double of MBL CLI, at the device."""
    return Mbl(world, device, device.call("ssh")["port"])
