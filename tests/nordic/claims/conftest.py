"""What the tests of claims share: a fake that knows our key, a ledger, and clients with accounts in it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, BackendSession
from harness.backends.launcher import start_fake
from harness.backends.ledger import Ledger
from harness_nordic import plugin
from harness_nordic.client import NrfCloudClient, connect, enrol
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger and a key of the test's own."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("NRFCLOUD_API_KEY", KEY)
    return tmp_path / "state"


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A fake that knows our key."""
    (spec,) = plugin.harness_backends()
    directory = tmp_path_factory.mktemp("fake")
    with start_fake(spec, directory, lifeline=None, options={"team-key": KEY}) as running:
        yield running.backend


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """The ledger."""
    with Ledger() as ledger:
        yield ledger


@pytest.fixture
def make(fake: Backend, ledger: Ledger) -> Iterator[Callable[..., NrfCloudClient]]:
    """Connect as a worker of a session; with ``mode="url"`` as a user who has nothing but address and key."""
    clients: list[NrfCloudClient] = []

    def connect_as(service: Backend, *, session: str = "run", mode: str = "url") -> NrfCloudClient:
        control = service.control if mode == "fake" else None
        backend = Backend(name="nrfcloud", mode=mode, url=service.url, control=control)
        accounts = ledger.accounts(
            session=session, worker="gw0", backend="nrfcloud", mode=mode, url=backend.url
        )
        clients.append(connect(backend, BackendSession(run_id=session, worker="gw0", accounts=accounts)))
        return clients[-1]

    yield connect_as
    for client in clients:
        if client.backend.url == fake.url:  # others have ended already
            client.undo()
        client.close()


@pytest.fixture
def device(fake: Backend, request: pytest.FixtureRequest) -> PaperDevice:
    """A device of the test's own that the factory knows."""
    digest = hashlib.sha256(request.node.name.encode()).digest()
    device = PaperDevice(int.from_bytes(digest[:4], "big") % 100_000)
    enrol(fake, device.record())
    return device
