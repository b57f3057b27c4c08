"""Power cuts at any step, for many mixes of commands, buffers and limits, with both agents.

Each round makes a mix, lets an agent provision it and sees which points the board passes; then the power goes
at some of them, by chance. What is judged is told in :mod:`harness_nordic.power_trials`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.client import connect
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    ClientCertificate,
    ClientPrivateKey,
    ClientPrivateKeyGeneration,
    CloudAccessKeyGeneration,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)
from harness_nordic.introduction import introduce
from harness_nordic.plugin import harness_backends
from harness_nordic.power_trials import PowerTrial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from harness_nordic.client_requests import CommandRequest
    from tests.soak.support.rounds import Rounds

MATERIAL = Path(__file__).parents[2] / "suites" / "nrfcloud" / "material"
AGENTS: tuple[Literal["board", "host"], ...] = ("board", "host")
MIXES = 600
CUTS = 3


def material(name: str) -> str:
    """Read a file that the suites provision."""
    return (MATERIAL / name).read_text().strip()


ROOT_CAS = [material(f"root-ca-{number}.pem") for number in (1, 2, 3)]
CLIENT_CERTIFICATES = [material("client.pem"), *ROOT_CAS]
KEYS = [material("client-key.sample.pem"), material("client-key-encrypted.sample.pem")]

#: What makes the command of a tag, filled with another content each time.
MAKERS: tuple[Callable[[int, int], CommandRequest], ...] = (
    lambda tag, number: ServerCertificate(sec_tag=tag, content=ROOT_CAS[number % 3]),
    lambda tag, number: ClientCertificate(sec_tag=tag, content=CLIENT_CERTIFICATES[number % 4]),
    lambda tag, number: ClientPrivateKey(sec_tag=tag, content=KEYS[number % 2]),
    lambda tag, number: PreSharedKey(sec_tag=tag, identity=f"board {number}", secret=f"{number:08x}"),
    lambda tag, number: CertificateSigningRequest(sec_tag=tag, attributes=f"CN={number}"),
    lambda tag, _number: CloudAccessKeyGeneration(sec_tag=tag),
    lambda tag, _number: ClientPrivateKeyGeneration(sec_tag=tag),
    lambda tag, number: Configuration(properties={f"soak/{tag}{key}": str(number) for key in "abc"}),
)


class Mix:
    """Commands for the same slots; each time that they are asked for they have other contents."""

    def __init__(self, random: Random, tags: range) -> None:
        """Choose commands, and the tag of each."""
        chosen = random.choices(MAKERS, k=random.randint(1, 7))
        self._makers = list(zip(chosen, random.sample(tags, len(chosen)), strict=True))
        self._finished = random.random() < 0.7
        self._number = 0

    def fill(self) -> list[CommandRequest]:
        """Return the commands with new contents."""
        self._number += 1
        made = [make(tag, self._number) for make, tag in self._makers]
        return [*made, Finished()] if self._finished or not made else made


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[tuple[LeasedBoard, Any]]:
    """A board on a bench of its own, and a client of a fake that knows it."""
    (spec,) = harness_backends()
    with (
        start_bench(tmp_path / "b", [("nrf9151dk-virtual", "dk", {})]) as bench,
        start_fake(spec, tmp_path, lifeline=None) as fake,
        BenchClient(bench.socket) as controls,
    ):
        state = controls.board("dk").state()
        description = Board(
            id=state.id,
            kind=state.kind,
            driver="nrf91",
            capabilities=frozenset({"provisioning-agent"}),
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


def test_power_cuts_in_many_mixes(rounds: Rounds, rig: tuple[LeasedBoard, Any]) -> None:
    """Nothing is reported that was not done, nothing is lost, and nothing that was reported is done again."""
    board, nrfcloud = rig
    for number, random in enumerate(rounds.run(MIXES)):
        agent = AGENTS[number % 2]
        limit, size = random.randint(5, 10), random.choice((2304, 4096))
        # Room for the longest report: ten exported keys. One that does not fit ends a run, as in the library.
        board.virtual.call("configure", limit=limit, rx_size=size, tx_size=8192)
        board.driver.host_options = replace(board.driver.host_options, limit=limit, rx_size=size)
        device = nrfcloud.claim(board.driver.attestation_token())
        trial = PowerTrial(board, nrfcloud, device, agent=agent)
        mix = Mix(random, board.driver.sec_tags)
        trial.points(mix.fill())  # the second run finds the slots filled, as every later one does
        counts = Counter(name for name, _detail in trial.points(mix.fill()))
        for _cut in range(CUTS):
            point = random.choice(sorted(counts))
            recovery = trial.cut(mix.fill(), point, random.randint(1, counts[point]))
            rounds.count(f"{agent}: {point}, recovered in {recovery.runs}")
        nrfcloud.undo()
        board.driver.restore()
        board.virtual.clear_faults()
