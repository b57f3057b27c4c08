"""What the nRF Cloud suites share: material to provision, and how a refusal is judged."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConsoleTimeout, RequestRefused
from harness_nordic.client_claims import device_uuid_of
from harness_nordic.client_core_models import OnboardingRow
from harness_nordic.client_requests import ServerCertificate
from harness_nordic.digests import pem_digest, pem_digests
from harness_nordic.enums import CommandStatus, CredentialType
from harness_nordic.introduction import lead_to_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.driver_provisioning import ProvisionOutcome
    from harness_nordic.enums import CommandType

MATERIAL = Path(__file__).parent / "material"
EVENT = "nrf_provisioning: event "


class AnyOf:
    """Equal to each of some values: what is not known of the service is one of them."""

    def __init__(self, *values: object) -> None:
        """Take the values."""
        self._values = values

    def __eq__(self, other: object) -> bool:
        """Tell whether it is one of them."""
        return set(self._values) == set(other._values) if isinstance(other, AnyOf) else other in self._values

    __hash__ = None  # type: ignore[assignment]  # nothing that is equal to many has one hash

    def __repr__(self) -> str:
        """Name them."""
        return f"any of {self._values}"


class Refusals:
    """Judge refusals; see :func:`refused`."""

    def __init__(self, *, exact: bool) -> None:
        """Judge statuses exactly, or let any of a refusal pass."""
        self._exact = exact

    @contextmanager
    def __call__(self, status: int) -> Iterator[None]:
        """Expect a refusal, with this status where the backend's statuses are known."""
        with pytest.raises(RequestRefused) as caught:
            yield
        assert caught.value.status == self.status(status)

    def status(self, status: int) -> Any:
        """Return what the status of a refusal is compared with."""
        return status if self._exact else AnyOf(*range(400, 500))

    def turned_away(self, status: int) -> Any:
        """Return what event and status of an agent that the service turned away are compared with.

        The event follows from the status. That an unclaimed board gets 401 and a blocked one 403 is inferred
        (nrfcloud fact sheet, section 3.1).
        """
        outcomes = {401: ("FAILED_DEVICE_NOT_CLAIMED", 401), 403: ("FAILED", 403)}
        return outcomes[status] if self._exact else AnyOf(*outcomes.values())


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """A device that is not there, with a token that is good.

    :ivar token: attestation token, in which a board has signed for it.
    :ivar id: its UUID.
    """

    token: str = field(repr=False)
    id: str
    imei: str


class Agent:
    """One of a board's two agents.

    :ivar name: ``board`` or ``host``.
    """

    def __init__(self, name: str, board: LeasedBoard) -> None:
        """Take hold of one of a board's agents."""
        self.name = name
        self._board = board

    def provision(self) -> ProvisionOutcome:
        """Let it provision."""
        outcome: ProvisionOutcome = self._board.driver.provision(agent=self.name)
        return outcome

    def configure(self, **options: int) -> None:
        """Change what it tells the service of itself."""
        self._needs_control()
        if self.name == "host":
            self._board.driver.host_options = replace(self._board.driver.host_options, **options)
        else:
            self._board.virtual.call("configure", **options)

    def use_service(self, url: str, ca_pem: str | None) -> None:
        """Send it to another address."""
        self._needs_control()
        if self.name == "host":
            self._board.driver.use_service(url, ca_pem)
        else:
            self._board.virtual.call("set_service", url=url)
            self._board.virtual.call("install_root_ca", pem=ca_pem)

    def stored(self) -> dict[str, str]:
        """Return the settings that it has stored."""
        self._needs_control()
        if self.name == "host":
            return dict(self._board.driver.host_settings)
        settings: dict[str, str] = self._board.virtual.call("settings")
        return settings

    def _needs_control(self) -> None:
        if self.name == "board" and not self._board.description.virtual:
            pytest.skip("only a virtual board's own agent can be told and asked")


@pytest.fixture
def material() -> Path:
    """The directory of the files that are provisioned."""
    return MATERIAL


@pytest.fixture
def root_cas() -> tuple[str, ...]:
    """Three different root CA certificates (PEM)."""
    return tuple((MATERIAL / f"root-ca-{number}.pem").read_text().strip() for number in (1, 2, 3))


@pytest.fixture
def root_ca(root_cas: tuple[str, ...]) -> str:
    """One root CA certificate (PEM)."""
    return root_cas[0]


@pytest.fixture
def client_certificate() -> str:
    """A client certificate (PEM)."""
    return (MATERIAL / "client.pem").read_text().strip()


@pytest.fixture
def client_key() -> str:
    """The private key of :func:`client_certificate` (PEM); made for these suites, no secret of anybody."""
    return (MATERIAL / "client-key.sample.pem").read_text().strip()


@pytest.fixture
def sec_tag(board: LeasedBoard) -> int:
    """The first of the security tags that suites may write to."""
    tag: int = board.driver.sec_tags[0]
    return tag


@pytest.fixture
def claimed(board: LeasedBoard, nrfcloud: Any) -> Any:
    """The board, claimed by the team of this worker."""
    return nrfcloud.claim(board.driver.attestation_token())


@pytest.fixture
def refused(nrfcloud: Any) -> Refusals:
    """Judge refusals.

    Which status the real service gives is unknown for most refusals (nrfcloud fact sheet, section 10), so
    the exact one is asserted only where the backend says that its statuses are known.
    """
    return Refusals(exact="exact-status" in nrfcloud.capabilities)


@pytest.fixture
def is_claimed_by(board: LeasedBoard) -> Callable[[Any], bool]:
    """Tell whether a team's list holds the board."""
    uuid = board.driver.device_uuid()
    return lambda client: uuid in {device.id for device in client.devices()}


@pytest.fixture
def held(board: LeasedBoard, nrfcloud: Any) -> Callable[[int], dict[CredentialType, Any]]:
    """Tell what the board holds under a tag: digests by type.

    Whether the service leaves the line ends of our material as they are is not known (nrfcloud fact sheet,
    section 10): where the backend does not say so, material with other line ends counts as the same.
    """
    same = {} if "exact-status" in nrfcloud.capabilities else _digests_of_material()
    return lambda tag: {
        entry.type: same.get(entry.digest, entry.digest) for entry in board.driver.credentials(tag=tag)
    }


def _digests_of_material() -> dict[str, Any]:
    """Return what each digest that a file of the material may have on a board is compared with."""
    texts = [file.read_text().strip() for file in MATERIAL.glob("*.pem")]
    return {digest: AnyOf(*pem_digests(text)) for text in texts for digest in pem_digests(text)}


@pytest.fixture
def status_of(nrfcloud: Any, claimed: Any) -> Callable[[Any], CommandStatus | None]:
    """Tell the status of one of the board's commands now; ``None`` if the service has lost the command."""

    def read(command: Any) -> CommandStatus | None:
        answer = nrfcloud.raw.request("GET", f"/v1/claimed-devices/{claimed.id}/provisioning/{command.id}")
        return CommandStatus(answer.json()["status"].upper()) if answer.status_code == 200 else None

    return read


@pytest.fixture
def would_claim(board: LeasedBoard) -> Callable[[Any], Any]:
    """Ask in a team's name whether the board could be claimed; the answer is returned whatever it is."""
    return lambda client: client.raw.request(
        "POST",
        "/v1/claimed-devices",
        params={"dryrun": "true"},
        json={"claimToken": board.driver.attestation_token()},
    )


@pytest.fixture(params=["at-host", "at-shell"])
def discipline(request: pytest.FixtureRequest, board: LeasedBoard) -> Iterator[str]:
    """Each line discipline in turn: a virtual board gets other firmware, any other has the one it has."""
    name = str(request.param)
    if board.description.virtual:
        built = board.virtual.call("configuration")
        before = {name: built[name] for name in ("discipline", "scheduled")}
        board.virtual.call("configure", discipline=name)
    board.driver.imei()
    if board.driver.line.discipline != name:
        pytest.skip(f"the firmware speaks {board.driver.line.discipline}")
    yield name
    if board.description.virtual:
        # Firmware that polls by itself would do so as it boots, into the next test.
        board.virtual.call("configure", **before)


@pytest.fixture
def row(board: LeasedBoard, client_certificate: str) -> Callable[..., OnboardingRow]:
    """Make the row that onboards a device in the core; the board's unless another id is given."""

    def make(device_id: str | None = None, **columns: Any) -> OnboardingRow:
        values = {"id": device_id or board.driver.device_uuid(), "certificate": client_certificate, **columns}
        return OnboardingRow(**values)

    return make


@pytest.fixture
def onboarded(nrfcloud: Any, row: Any) -> Any:
    """The board, onboarded under its UUID."""
    assert nrfcloud.core.onboard([row()]).status == "SUCCEEDED"
    return nrfcloud.core.device(row().id)


@pytest.fixture
def siblings(board: LeasedBoard, nrfcloud: Any) -> Callable[[int], list[Sibling]]:
    """Make devices that are known to the factory (capability ``factory``), but for the board in name only.

    A virtual board signs tokens for them, too. So a test of many devices needs no more than one board.
    """

    def make(count: int) -> list[Sibling]:
        if not board.description.virtual:
            pytest.skip("only a virtual board can be told to sign for other devices")
        record = board.virtual.call("factory_record")
        board.virtual.call("forge", what="token-uuid", times=count)
        made = []
        for number in range(count):
            token = board.driver.attestation_token()
            sibling = Sibling(token=token, id=str(device_uuid_of(token)), imei=f"{359404230000000 + number}")
            nrfcloud.enrol({**record, "uuid": sibling.id, "imei": sibling.imei})
            made.append(sibling)
        return made

    return make


@pytest.fixture(params=[pytest.param("board", marks=pytest.mark.board(needs={"provisioning-agent"})), "host"])
def agent(request: pytest.FixtureRequest, board: LeasedBoard, nrfcloud: Any) -> Iterator[Agent]:
    """Each agent in turn, sent back to the service afterwards."""
    name = str(request.param)
    if name not in board.driver.agents:
        pytest.skip("the firmware has no agent of its own that knows this service")
    yield Agent(name, board)
    if board.description.virtual:
        board.virtual.call("install_root_ca", pem=None)
    lead_to_service(board, nrfcloud.backend)


@pytest.fixture
def tag(nrfcloud: Any) -> Any:
    """A tag that nobody else has, with a description."""
    return nrfcloud.create_tag(nrfcloud.own_name("Trondheim"), "Devices deployed in Trondheim.")


@pytest.fixture
def rule(nrfcloud: Any, tag: Any, sec_tag: int, root_ca: str) -> Any:
    """An active rule for the devices of that tag: a CA certificate."""
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
    return nrfcloud.create_rule(nrfcloud.own_name("rule"), commands, [tag.name])


@pytest.fixture
def tagged(board: LeasedBoard, nrfcloud: Any, tag: Any) -> Any:
    """The board, claimed with that tag."""
    return nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name])


@pytest.fixture
def has_ca(held: Any, sec_tag: int) -> Callable[[str], bool]:
    """Tell whether the board holds a CA certificate, and nothing else beside it."""
    return lambda pem: held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(pem)}


@pytest.fixture
def types_of() -> Callable[[Any], list[CommandType]]:
    """Tell the types of a device's commands, in order."""
    return lambda device: [command.type for command in device.commands()]


@pytest.fixture
def by_console(board: LeasedBoard) -> Callable[[str], str]:
    """Tell the digest of what becomes of a credential that is written over the board's console."""
    return lambda content: pem_digest(board.driver.as_stored(content))


@pytest.fixture
def as_written(agent: Agent, by_console: Callable[[str], str]) -> Callable[[str], str]:
    """Tell the digest of what the agent in turn makes of a credential; the host's writes over the console."""
    return by_console if agent.name == "host" else pem_digest


@pytest.fixture
def watch(board: LeasedBoard) -> Callable[[], Callable[[str], None]]:
    """Begin to watch the board, and return what waits until a poll ends from then on."""
    log = board.endpoint("trace")

    def wait(event: str) -> None:
        # The log may still bring the end of an earlier one.
        log.expect(f"{EVENT}START", timeout=20, reason="a poll that nobody asked for")
        log.expect(EVENT + event, timeout=20, reason="the end of a poll that nobody asked for")

    def begin() -> Callable[[str], None]:
        with suppress(ConsoleTimeout):
            while True:  # what was asked for before has ended, and is all in the log
                log.expect(EVENT, timeout=0)
        return wait

    return begin


@pytest.fixture
def boot() -> re.Pattern[bytes]:
    """What a board's console says when it boots: that of an AT host, or of a shell."""
    return re.compile(rb"Ready\r|\*{3} Booting")
