"""One behaviour, two agents: the board's own, and the one that the host runs for it over the console.

Every test that takes ``agent`` is run with both, and asserts what the service says and what the board holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves(
    "any agent", "every type of command SUCCEEDED, device PROVISIONED, the board holds it all"
)
def test_every_type_of_command(
    board: LeasedBoard,
    agent: Any,
    claimed: Any,
    root_ca: str,
    client_certificate: str,
    client_key: str,
    held: Any,
    as_written: Any,
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
        CredentialType.ROOT_CA: as_written(root_ca),
        CredentialType.CLIENT_CERT: as_written(client_certificate),
        CredentialType.CLIENT_KEY: as_written(client_key),
    }
    assert held(tags[1]) == {
        CredentialType.PSK: pem_digest("00112233aabbccdd"),
        CredentialType.PSK_IDENTITY: pem_digest("harness"),
    }
    request = read_generated_key(commands[4].exported)
    assert request.subject == "CN=harness"
    assert jwt_is_signed_by(board.driver.jwt(tag=tags[2]), request.public_key)
    assert [list(held(tag)) for tag in tags[2:5]] == [[CredentialType.CLIENT_KEY]] * 3


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves("any agent", "configuration SUCCEEDED, the agent has stored it")
def test_configuration_is_stored(agent: Any, claimed: Any) -> None:
    """The agent keeps what a configuration says, where it keeps such things."""
    command = claimed.add_command(Configuration(properties={"harness/a": "1", "harness/b": agent.name}))

    agent.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert {"harness/a": "1", "harness/b": agent.name}.items() <= agent.stored().items()


@pytest.mark.board(needs={"certificate-check"})
@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("any agent", "stops at the failing command, finished is not acknowledged")
def test_failing_command_stops_the_batch(
    board: LeasedBoard,
    agent: Any,
    claimed: Any,
    root_cas: tuple[str, ...],
    held: Any,
    as_written: Any,
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
        {CredentialType.ROOT_CA: as_written(root_cas[0])},
        {},
        {},
    ]


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("any agent", "an ignored error is reported as done, what follows is executed")
def test_ignored_error(
    board: LeasedBoard, agent: Any, nrfcloud: Any, claimed: Any, sec_tag: int, held: Any
) -> None:
    """Deleting a key that is not there is no failure; with a key there it is replaced."""
    assert held(sec_tag) == {}
    keys = []
    for _attempt in range(2):
        command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
        agent.provision()
        assert command.refresh().status is CommandStatus.SUCCEEDED
        keys.append(read_generated_key(command.exported).public_key)

    assert keys[0] != keys[1]
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), keys[1])
    reported = [
        ids
        for ids in (each.ids for each in nrfcloud.device_requests(claimed.id) if each.method == "POST")
        if ids
    ]
    assert [[identifier.endswith(".s") for identifier in ids] for ids in reported[-2:]] == [[True, False]] * 2


@pytest.mark.proves("any agent", "blocked: refused with 403, nothing is executed")
def test_blocked_device(
    agent: Any,
    claimed: Any,
    sec_tag: int,
    root_ca: str,
    held: Any,
    refused: Any,
    as_written: Any,
) -> None:
    """Neither agent gets commands for a blocked device, and both get them when it is unblocked."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.block()

    outcome = agent.provision()

    assert (outcome.event, outcome.refused_with) == refused.turned_away(403)
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}
    claimed.unblock()
    agent.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: as_written(root_ca)}


@pytest.mark.proves("any agent", "unclaimed: refused with 401, event FAILED_DEVICE_NOT_CLAIMED")
def test_unclaimed_device(
    agent: Any, nrfcloud: Any, is_claimed_by: Any, sec_tag: int, held: Any, refused: Any
) -> None:
    """Both agents say that the device is nobody's."""
    assert not is_claimed_by(nrfcloud)

    outcome = agent.provision()

    assert (outcome.event, outcome.refused_with) == refused.turned_away(401)
    assert held(sec_tag) == {}


@pytest.mark.proves("any agent", "nothing to do: NO_COMMANDS, the device stays READY")
def test_nothing_to_do(agent: Any, claimed: Any) -> None:
    """Without commands both agents end with the same event."""
    outcome = agent.provision()

    assert (outcome.event, outcome.finished, outcome.refused_with) == ("NO_COMMANDS", False, None)
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.proves("any agent", "functional mode and error numbers are as before")
def test_modem_is_put_back(board: LeasedBoard, agent: Any, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """Credentials are written offline; afterwards the modem is online as it was."""
    board.driver.online()
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    agent.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert board.driver.functional_mode() == 1
    assert board.driver.at("AT+CMEE?") == ["+CMEE: 1"]


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("any agent", "never more commands at once than its limit")
def test_limit(agent: Any, nrfcloud: Any, claimed: Any) -> None:
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


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("any agent", "FAILED what does not fit its receive buffer, the board stays as it was")
def test_receive_buffer(agent: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """A command that the agent could never receive is not served to it."""
    agent.configure(rx_size=900)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    assert not agent.provision().finished

    assert command.refresh().status is CommandStatus.FAILED
    assert "buffer" in str(command.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert held(sec_tag) == {}
