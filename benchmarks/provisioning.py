"""What the benchmarks of provisioning share: a fake, boards, one run of claim to PROVISIONED, its trace."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.backends.launcher import start_fake
from harness.evidence import collect_with
from harness.inventory.builtin import known_profiles, virtual_boards
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.client_requests import CertificateSigningRequest, Finished, ServerCertificate
from harness_nordic.enums import DeviceStatus
from harness_nordic.plugin import harness_backends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from benchmarks.floors import Floors
    from harness.backends.contract import Backend, Exchange
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.virtual.launcher import RunningBench
    from harness_nordic.client import NrfCloudClient

KIND = "nrf9151dk-virtual"
DEADLINE_SECONDS = 60


class StepNames:
    """Collects the titles of steps: the driver makes one of every AT command."""

    def __init__(self) -> None:
        """Begin empty."""
        self.titles: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Note a step."""
        self.titles.append(title)
        yield

    def attach(self, name: str, text: str) -> None:
        """Attachments cost nothing here."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What one run did, counted.

    :ivar seconds: from the first AT command to PROVISIONED.
    """

    seconds: float
    driver_at: int
    agent_at: int
    client_http: int
    agent_http: int
    signed: int
    verified: int
    keys: int

    def floor(self, floors: Floors, *, strict: bool = False) -> dict[str, float]:
        """Return the seconds that these operations cost at the least.

        :param strict: an AT command of the board's own agent costs no more than a call to another thread.
        """
        new_keys = self.keys * floors.make_key
        return {
            "signatures": self.signed * floors.sign + self.verified * floors.verify + new_keys,
            "AT": self.driver_at * floors.at + self.agent_at * (floors.hand_over if strict else floors.at),
            "HTTP": self.client_http * floors.http + self.agent_http * floors.http_anew,
        }


def make_certificate() -> str:
    """Make a root CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Benchmark Root CA")])
    today = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(today).not_valid_after(today + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def start_backend(directory: Path, stack: ExitStack) -> Backend:
    """Start the fake; the stack ends it."""
    spec = next(spec for spec in harness_backends() if spec.name == "nrfcloud")
    return stack.enter_context(start_fake(spec, directory, lifeline=None)).backend


def start_boards(directory: Path, count: int, stack: ExitStack) -> tuple[RunningBench, list[Board]]:
    """Start a bench whose boards find the network at once; the stack ends it."""
    options = [(KIND, None, {"network_delay": 0.0})] * count
    bench = stack.enter_context(start_bench(directory / "bench", options, deadline=DEADLINE_SECONDS))
    with BenchClient(bench.socket) as client:
        states = client.boards()
    boards = virtual_boards(known_profiles(load_plugins()), states, bench=str(bench.socket))
    return bench, [board.granted(allow_destructive=False) for board in boards]


def provision(board: LeasedBoard, client: NrfCloudClient, certificate: str) -> None:
    """Claim a board, order a root CA and a key pair, let it provision, and see that it did."""
    device = client.claim(board.driver.attestation_token())
    tag = board.driver.sec_tags[0]
    for request in (ServerCertificate(tag, certificate), CertificateSigningRequest(tag + 1), Finished()):
        device.add_command(request)
    outcome = board.driver.provision(timeout=DEADLINE_SECONDS)
    assert outcome.finished, outcome
    assert device.refresh().status is DeviceStatus.PROVISIONED


def clean_up(board: LeasedBoard, client: NrfCloudClient) -> None:
    """Let the next run begin where this one did."""
    client.undo()
    board.driver.restore()


def run_traced(
    board: LeasedBoard, client: NrfCloudClient, exchanges: list[Exchange], certificate: str
) -> Trace:
    """Provision once and count what was done."""
    board.virtual.call("agent_log", clear=True)
    exchanges.clear()
    steps = StepNames()
    with collect_with(steps):
        started = time.perf_counter()
        provision(board, client, certificate)
        seconds = time.perf_counter() - started
    driver = [title for title in steps.titles if title.startswith("AT")]
    log = board.virtual.call("agent_log", clear=True)
    agent = [entry["at"] for entry in log if "at" in entry]
    agent_http = sum("exchange" in entry for entry in log)
    made = Counter(command.partition("=")[0] for command in driver + agent)
    tokens, jwts, keys = made["AT%ATTESTTOKEN"], made["AT%JWT"], made["AT%KEYGEN"]
    assert (tokens, keys) == (1, 1), made
    assert jwts == agent_http, made
    return Trace(
        seconds=seconds,
        driver_at=len(driver),
        agent_at=len(agent),
        client_http=len(exchanges),
        agent_http=agent_http,
        signed=tokens + jwts + 2 * keys,  # a new key signs its request, the identity key signs for both
        verified=tokens + jwts + keys,
        keys=keys,
    )
