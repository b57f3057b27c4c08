"""Fixtures of the real clients: lab and fake for each worker; team, proxy and boards for each test."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness_nordic import plugin
from harness_nordic.client import connect
from tests.clients.connect_proxy import ConnectProxy
from tests.clients.recorded_board import KINDS, SUFFIX
from tests.clients.transcripts import Transcript
from tests.clients.world import BIN, HOSTS, TRANSCRIPTS, ClientBoard, World, record_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.backends.launcher import RunningFake
    from harness_nordic.client import NrfCloudClient

AT_HOST = "at-host"
AT_SHELL = "at-shell"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Throw away the transcripts of the run before, once."""
    if not hasattr(session.config, "workerinput"):
        shutil.rmtree(TRANSCRIPTS, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Skip everything where Nordic's tools are not installed; ``make clients`` installs them."""
    if not (BIN / "nrfcredstore").exists():
        pytest.skip("Nordic's tools are not installed: make clients")


@pytest.fixture(scope="session")
def lab(usb_lab_factory: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A USB lab whose boards keep a record of their lines."""
    with usb_lab_factory(tmp_path_factory.mktemp("u"), extra_kinds=KINDS.values()) as lab:
        yield lab


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFake]:
    """A fake whose certificate is good for the real service's hosts."""
    (spec,) = plugin.harness_backends()
    options = {"tls-names": ",".join(HOSTS)}
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None, options=options) as running:
        yield running


@pytest.fixture
def transcript(request: pytest.FixtureRequest) -> Iterator[Transcript]:
    """The test's transcript; written when it is over, and looked through for secrets."""
    module = request.path.stem.removeprefix("test_")
    name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")
    transcript = Transcript(f"{module}: {name}")
    yield transcript
    written = transcript.write(TRANSCRIPTS / f"{module}--{name}.txt")
    assert transcript.left_over(written) == []


@pytest.fixture
def team(
    fake: RunningFake, request: pytest.FixtureRequest, transcript: Transcript
) -> Iterator[NrfCloudClient]:
    """Another client of the service, of a team of the test's own: it says what the service holds."""
    session = BackendSession(run_id="clients", worker=request.node.nodeid, register_secret=transcript.secret)
    client = connect(fake.backend, session)
    yield client
    for device in client.devices():  # the service is shared: what a tool claimed, others claim again
        client.unclaim(device.id)
    client.undo()
    client.close()


@pytest.fixture
def api_key(team: NrfCloudClient) -> str:
    """The team's key."""
    return str(team._http._headers["Authorization"]).removeprefix("Bearer ")


@pytest.fixture
def world(
    lab: Any, fake: RunningFake, team: NrfCloudClient, tmp_path: Path, transcript: Transcript
) -> Iterator[World]:
    """What runs clients."""
    ca = tmp_path / "ca.pem"
    ca.write_text(team.secure_endpoint.ca_pem)
    key_log = tmp_path / "tls-keys.txt"
    key_log.touch(mode=0o600)
    address = str(fake.backend.secure_url).rpartition("/")[2].split(":")
    here = tmp_path / "here"
    here.mkdir()
    with ConnectProxy(HOSTS, (address[0], int(address[1]))) as proxy:
        yield World(
            environment=lab.environment,
            proxy=proxy,
            key_log=key_log,
            ca=ca,
            directory=here,
            transcript=transcript,
        )
    assert proxy.refused == []


@pytest.fixture
def make_board(
    lab: Any, fake: RunningFake, team: NrfCloudClient, transcript: Transcript
) -> Iterator[Callable[..., ClientBoard]]:
    """Plug boards in, enrolled and led to the fake; they are gone after the test."""
    boards: list[ClientBoard] = []

    def make(discipline: str = AT_HOST, kind: str = "nrf9151dk-virtual", **options: Any) -> ClientBoard:
        if discipline != AT_HOST:
            options["discipline"] = discipline
        state = lab.client.add(kind + SUFFIX, options=options)
        stack.callback(lab.client.remove, state.id)
        controls = lab.client.board(state.id)
        record = controls.call("factory_record")
        team.enrol(record)
        controls.call("set_service", url=fake.backend.url)
        board = ClientBoard(
            id=state.id,
            port=str(state.ports["console"]),
            record=record,
            discipline=discipline,
            controls=controls,
        )
        boards.append(board)
        return board

    with ExitStack() as stack:
        yield make
        for board in boards:
            record_line(transcript, board)


@pytest.fixture(params=[AT_HOST, AT_SHELL])
def discipline(request: pytest.FixtureRequest) -> str:
    """What the line of the board speaks."""
    return str(request.param)


@pytest.fixture
def board(make_board: Callable[..., ClientBoard], discipline: str) -> ClientBoard:
    """A board of either discipline."""
    return make_board(discipline)
