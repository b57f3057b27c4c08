"""One behaviour, two agents: the board's own, and the one that the host runs for it over the console.

Every test that takes ``agent`` is run with both, and asserts what the service says and what the board holds.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused, ConsoleTimeout
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
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.driver_provisioning import ProvisionOutcome

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

FETCH, REPORT = "/v1/provisioning/commands", "/v1/provisioning/response"
BOARD_OPTIONS = {"limit", "rx_size", "tx_size"}


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
        """Change what it tells the service of itself; only a virtual board's own agent can be told."""
        if self.name == "host":
            self._board.driver.host_options = replace(self._board.driver.host_options, **options)
        else:
            self._board.virtual.call("configure", **options)

    def use_service(self, url: str, ca_pem: str | None) -> None:
        """Send it to another address; only a virtual board's own agent can be sent."""
        if self.name == "host":
            self._board.driver.use_service(url, ca_pem)
        else:
            self._board.virtual.call("set_service", url=url)
            self._board.virtual.call("install_root_ca", pem=ca_pem)

    def stored(self) -> dict[str, str]:
        """Return the settings that it has stored; only a virtual board's own agent can be asked."""
        if self.name == "host":
            return dict(self._board.driver.host_settings)
        settings: dict[str, str] = self._board.virtual.call("settings")
        return settings


@pytest.fixture(params=["board", "host"])
def agent(request: pytest.FixtureRequest, board: LeasedBoard, nrfcloud: Any) -> Iterator[Agent]:
    """Each agent in turn, sent back to the service afterwards."""
    name = str(request.param)
    if name == "board" and "provisioning-agent" not in board.capabilities:
        pytest.skip("this firmware has no agent of its own")
    yield Agent(name, board)
    board.driver.use_service(nrfcloud.backend.url)
    if board.description.virtual:
        board.virtual.call("set_service", url=nrfcloud.backend.url)
        board.virtual.call("install_root_ca", pem=None)


@pytest.mark.proves(
    "any agent", "every type of command SUCCEEDED, device PROVISIONED, the board holds it all"
)
def test_every_type_of_command(
    board: LeasedBoard,
    agent: Agent,
    claimed: Any,
    root_ca: str,
    client_certificate: str,
    client_key: str,
    held: Any,
) -> None:
    """What the service wants written is on the board, what it wants made was made there."""
    tags = board.driver.sec_tags
    written = [
        ServerCertificate(sec_tag=tags[0], content=root_ca),
        ClientCertificate(sec_tag=tags[0], content=client_certificate),
        ClientPrivateKey(sec_tag=tags[0], content=client_key),
        PreSharedKey(sec_tag=tags[1], identity="harness", secret="00112233aabbccdd"),
    ]
    made = [
        CertificateSigningRequest(sec_tag=tags[2], attributes="CN=harness", key_usage="101010000"),
        CloudAccessKeyGeneration(sec_tag=tags[3]),
        ClientPrivateKeyGeneration(sec_tag=tags[4]),
    ]
    last = [Configuration(properties={"harness/agent": agent.name}), Finished()]
    commands = [claimed.add_command(request) for request in (*written, *made, *last)]

    outcome = agent.provision()

    assert (outcome.finished, outcome.event) == (True, "DONE")
    assert [command.refresh().status for command in commands] == [CommandStatus.SUCCEEDED] * 9
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert held(tags[0]) == {
        CredentialType.ROOT_CA: pem_digest(root_ca),
        CredentialType.CLIENT_CERT: pem_digest(client_certificate),
        CredentialType.CLIENT_KEY: pem_digest(client_key),
    }
    assert held(tags[1]) == {
        CredentialType.PSK: pem_digest("00112233aabbccdd"),
        CredentialType.PSK_IDENTITY: pem_digest("harness"),
    }
    request = read_generated_key(commands[4].response["certificateSigningRequest"]["csr"])
    assert request.subject == "CN=harness"
    assert jwt_is_signed_by(board.driver.jwt(tag=tags[2]), request.public_key)
    assert [list(held(tag)) for tag in tags[2:5]] == [[CredentialType.CLIENT_KEY]] * 3


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("any agent", "configuration SUCCEEDED, the agent has stored it")
def test_configuration_is_stored(agent: Agent, claimed: Any) -> None:
    """The agent keeps what a configuration says, where it keeps such things."""
    command = claimed.add_command(Configuration(properties={"harness/a": "1", "harness/b": agent.name}))

    agent.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert {"harness/a": "1", "harness/b": agent.name}.items() <= agent.stored().items()


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("any agent", "stops at the failing command, finished is not acknowledged")
def test_failing_command_stops_the_batch(
    board: LeasedBoard, agent: Agent, claimed: Any, root_cas: tuple[str, ...], held: Any
) -> None:
    """Before the failing command all is done; behind it nothing, and finished neither, wherever it stood."""
    before, failing, behind = board.driver.sec_tags[:3]
    finished = claimed.add_command(Finished())
    done = claimed.add_command(ServerCertificate(sec_tag=before, content=root_cas[0]))
    bad = claimed.add_command(ServerCertificate(sec_tag=failing, content="no certificate at all"))
    waits = claimed.add_command(ServerCertificate(sec_tag=behind, content=root_cas[1]))

    assert not agent.provision().finished

    assert [command.refresh().status for command in (done, bad, waits)] == [
        CommandStatus.SUCCEEDED,
        CommandStatus.FAILED,
        CommandStatus.PENDING,
    ]
    assert "527" in str(bad.response)
    assert finished.refresh().status is not CommandStatus.SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert [held(tag) for tag in (before, failing, behind)] == [
        {CredentialType.ROOT_CA: pem_digest(root_cas[0])},
        {},
        {},
    ]


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("any agent", "an ignored error is reported as done, what follows is executed")
def test_ignored_error(
    board: LeasedBoard, agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int, held: Any
) -> None:
    """Deleting a key that is not there is no failure; with a key there it is replaced."""
    assert held(sec_tag) == {}
    keys = []
    for _attempt in range(2):
        command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
        agent.provision()
        assert command.refresh().status is CommandStatus.SUCCEEDED
        keys.append(read_generated_key(command.response["certificateSigningRequest"]["csr"]).public_key)

    assert keys[0] != keys[1]
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), keys[1])
    reported = [
        ids
        for ids in (each.ids for each in nrfcloud.device_requests(claimed.id) if each.method == "POST")
        if ids
    ]
    assert [[identifier.endswith(".s") for identifier in ids] for ids in reported[-2:]] == [[True, False]] * 2


@pytest.mark.proves("any agent", "blocked: refused with 403, nothing is executed")
def test_blocked_device(agent: Agent, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """Neither agent gets commands for a blocked device, and both get them when it is unblocked."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.block()

    outcome = agent.provision()

    assert (outcome.event, outcome.refused_with) == ("FAILED", 403)
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}
    claimed.unblock()
    agent.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("any agent", "unclaimed: refused with 401, event FAILED_DEVICE_NOT_CLAIMED")
def test_unclaimed_device(agent: Agent, nrfcloud: Any, is_claimed_by: Any, sec_tag: int, held: Any) -> None:
    """Both agents say that the device is nobody's."""
    assert not is_claimed_by(nrfcloud)

    outcome = agent.provision()

    assert (outcome.event, outcome.refused_with) == ("FAILED_DEVICE_NOT_CLAIMED", 401)
    assert held(sec_tag) == {}


@pytest.mark.proves("any agent", "nothing to do: NO_COMMANDS, the device stays READY")
def test_nothing_to_do(agent: Agent, claimed: Any) -> None:
    """Without commands both agents end with the same event."""
    outcome = agent.provision()

    assert (outcome.event, outcome.finished, outcome.refused_with) == ("NO_COMMANDS", False, None)
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.proves("any agent", "functional mode and error numbers are as before")
def test_modem_is_put_back(
    board: LeasedBoard, agent: Agent, claimed: Any, sec_tag: int, root_ca: str
) -> None:
    """Credentials are written offline; afterwards the modem is online as it was."""
    board.driver.online()
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    agent.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert board.driver.functional_mode() == 1
    assert board.driver.at("AT+CMEE?") == ["+CMEE: 1"]


@pytest.mark.board(needs={"virtual"})
@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("any agent", "never more commands at once than its limit")
def test_limit(agent: Agent, nrfcloud: Any, claimed: Any) -> None:
    """The service splits for the agent's limit; nothing is lost."""
    agent.configure(limit=5)
    before = len(nrfcloud.device_requests(claimed.id))
    commands = [claimed.add_command(Configuration(properties={f"harness/{each}": "x"})) for each in range(12)]

    agent.provision()

    assert {command.refresh().status for command in commands} == {CommandStatus.SUCCEEDED}
    assert {f"harness/{each}" for each in range(12)} <= set(agent.stored())
    fetched = [each for each in nrfcloud.device_requests(claimed.id)[before:] if each.method == "GET"]
    assert [len(each.ids) for each in fetched] == [5, 5, 2, 0]
    assert all("limit=5" in each.query.split("&") for each in fetched)


@pytest.mark.board(needs={"virtual"})
@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("any agent", "FAILED what does not fit its receive buffer, the board stays as it was")
def test_receive_buffer(agent: Agent, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """A command that the agent could never receive is not served to it."""
    agent.configure(rx_size=900)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    assert not agent.provision().finished

    assert command.refresh().status is CommandStatus.FAILED
    assert "buffer" in str(command.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"faults", "device-log"})
@pytest.mark.proves("any agent", "report taken but answered 500: executed once, reported once")
def test_answer_to_the_report_is_lost(
    board: LeasedBoard, agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int
) -> None:
    """An agent that does not hear that its report was taken goes on; nothing is executed again."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    before = len(nrfcloud.device_requests(claimed.id))

    with nrfcloud.fault(claimed, on="report", kind="lost-answer", status=500):
        outcome = agent.provision()
    agent.provision()

    assert outcome.event == "NO_COMMANDS"
    assert command.refresh().status is CommandStatus.SUCCEEDED
    exported = read_generated_key(command.response["certificateSigningRequest"]["csr"])
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), exported.public_key)
    requests = nrfcloud.device_requests(claimed.id)[before:]
    assert [each.method for each in requests if each.ids] == ["GET", "POST"]


@pytest.mark.backend(needs={"faults", "device-log", "exact-status"})
@pytest.mark.proves("any agent", "report refused with 500: after is advanced, nothing is executed again")
def test_report_is_lost(
    board: LeasedBoard, agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int, held: Any
) -> None:
    """What the service never heard of stays IN_PROGRESS; the agent says that it is past it."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    before = len(nrfcloud.device_requests(claimed.id))

    with nrfcloud.fault(claimed, on="report", kind="status", status=500):
        outcome = agent.provision()
    made = held(sec_tag)
    agent.provision()

    assert outcome.event == "NO_COMMANDS"
    assert command.refresh().status is CommandStatus.IN_PROGRESS
    assert list(made) == [CredentialType.CLIENT_KEY]
    assert held(sec_tag) == made
    fetched = [each for each in nrfcloud.device_requests(claimed.id)[before:] if each.method == "GET"]
    after = [re.search(r"after=([^&.]*)", each.query) for each in fetched]
    assert [match[1] if match else None for match in after][1:] == [command.id] * 2


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("any agent", "cut-off CBOR: FAILED, nothing executed or reported")
def test_commands_that_cannot_be_read(
    agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """A batch that ends too early is not executed in part."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    with nrfcloud.fault(claimed, on="fetch", kind="truncated"):
        outcome = agent.provision()

    assert (outcome.event, outcome.finished) == ("FAILED", False)
    assert [exchange.method for exchange in outcome.exchanges] == ["GET"]
    assert command.refresh().status is not CommandStatus.SUCCEEDED
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("any agent", "more commands than asked for: FAILED_TOO_MANY_COMMANDS")
def test_too_many_commands(
    agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """An agent executes nothing of a batch that is larger than it asked for."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    with nrfcloud.fault(claimed, on="fetch", kind="too-many"):
        outcome = agent.provision()

    assert outcome.event == "FAILED_TOO_MANY_COMMANDS"
    assert held(sec_tag) == {}


@pytest.mark.board(needs={"virtual"})
@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("any agent", "over TLS with the right CA: provisioned")
def test_tls(agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """With the service's CA both agents provision over TLS."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    secure = nrfcloud.secure_endpoint
    assert secure.url.startswith("https://")
    agent.use_service(secure.url, secure.ca_pem)

    agent.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.board(needs={"virtual"})
@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("any agent", "over TLS with another CA: FAILED_WRONG_ROOT_CA, the service hears nothing")
def test_wrong_root_ca(
    agent: Agent, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """Nothing is fetched from a service that does not prove who it is."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = len(nrfcloud.device_requests(claimed.id))
    agent.use_service(nrfcloud.secure_endpoint.url, root_ca)

    outcome = agent.provision()

    assert (outcome.event, outcome.finished) == ("FAILED_WRONG_ROOT_CA", False)
    assert len(nrfcloud.device_requests(claimed.id)) == before
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}


# What tells the two apart ------------------------------------------------------------------------------


@pytest.mark.board(needs={"virtual", "provisioning-agent"})
@pytest.mark.proves("board agent", "no network time: FAILED_NO_VALID_DATETIME, the service hears nothing")
def test_board_without_time(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """The board's own agent waits for the network's time, and gives up without it."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = len(nrfcloud.device_requests(claimed.id))
    take_time_away(board)
    board.virtual.call("configure", time_wait=0.05)

    outcome = board.driver.provision(agent="board")

    assert outcome.event == "FAILED_NO_VALID_DATETIME"
    assert len(nrfcloud.device_requests(claimed.id)) == before
    assert held(sec_tag) == {}


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("host agent", "no network time: the host's is given, provisioned without LTE")
def test_host_gives_the_time(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """A board that has never seen a network is provisioned by the host, with a clock set by it."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.add_command(Finished())
    take_time_away(board)
    board.driver.offline()
    with pytest.raises(CommandRefused):
        board.driver.at("AT%CCLK?")

    outcome = board.driver.provision(agent="host")

    assert outcome.finished
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
    assert board.driver.functional_mode() == 4
    assert board.driver.at("AT%CCLK?")[0].startswith('%CCLK: "')


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("host agent", "plain AT firmware: provisioned over the console")
def test_plain_at_firmware(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """Firmware without an agent refuses to provision itself; the host does it."""
    board.virtual.call("configure", agent=False)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    with pytest.raises(CommandRefused):
        board.driver.provision(agent="board")
    assert command.refresh().status is CommandStatus.PENDING

    board.driver.provision(agent="host")

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("host agent", "board silent in mid-batch: nothing reported, all of it done later")
def test_board_falls_silent(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, root_cas: tuple[str, ...], held: Any, status_of: Any
) -> None:
    """The host reports nothing of a batch in which the board fell silent; the service gives it again."""
    tags = board.driver.sec_tags[:2]
    commands = [
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem))
        for tag, pem in zip(tags, root_cas, strict=False)
    ]
    board.driver.host_options = replace(board.driver.host_options, at_timeout=0.2)
    board.virtual.call("fail_next", command=f"AT%CMNG=0,{tags[1]}", outcome="silent")

    with pytest.raises(ConsoleTimeout) as silence:
        board.driver.provision(agent="host")

    assert "CERTIFICATE" not in str(silence.value)
    assert [status_of(command) for command in commands] == [CommandStatus.IN_PROGRESS] * 2
    assert [list(held(tag)) for tag in tags] == [[CredentialType.ROOT_CA], []]

    board.driver.provision(agent="host")

    assert [status_of(command) for command in commands] == [CommandStatus.SUCCEEDED] * 2
    assert [held(tag) for tag in tags] == [{CredentialType.ROOT_CA: pem_digest(pem)} for pem in root_cas[:2]]


def take_time_away(board: LeasedBoard) -> None:
    """Leave a virtual board without the network's time, as before its first registration."""
    board.driver.offline()
    board.virtual.call("network_time", on=False)
    board.virtual.call("set_clock", seconds=None)
