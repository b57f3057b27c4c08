"""Provisioning commands: every type, executed by the board's own agent, checked on the board."""

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


@pytest.mark.backend(needs={"command-details"})
@pytest.mark.proves("create command", "201, PENDING, and so is the device")
def test_created_command_is_pending(claimed: Any, sec_tag: int, root_ca: str) -> None:
    """A new command waits for the board, and the device shows that something waits."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca), description="root")

    assert command.status is CommandStatus.PENDING
    assert claimed.command(command.id).description == "root"
    assert claimed.refresh().status is DeviceStatus.PENDING


@pytest.mark.proves("server certificate", "SUCCEEDED, the board holds it")
def test_server_certificate(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """A server certificate arrives on the board to the byte."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("client certificate", "SUCCEEDED, the board holds it")
def test_client_certificate(
    board: LeasedBoard, claimed: Any, sec_tag: int, client_certificate: str, held: Any
) -> None:
    """A client certificate arrives on the board to the byte."""
    command = claimed.add_command(ClientCertificate(sec_tag=sec_tag, content=client_certificate))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.CLIENT_CERT: pem_digest(client_certificate)}


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves("client private key", "SUCCEEDED, the board holds it")
def test_client_private_key(
    board: LeasedBoard, claimed: Any, sec_tag: int, client_key: str, held: Any
) -> None:
    """A private key that the service sends arrives on the board."""
    command = claimed.add_command(ClientPrivateKey(sec_tag=sec_tag, content=client_key))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.CLIENT_KEY: pem_digest(client_key)}


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves("pre-shared key", "SUCCEEDED, the board holds key and identity")
def test_pre_shared_key(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """A pre-shared key arrives as two credentials: the key and its identity."""
    command = claimed.add_command(
        PreSharedKey(sec_tag=sec_tag, identity="nrf-tester", secret="00112233aabbccdd")
    )

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {
        CredentialType.PSK: pem_digest("00112233aabbccdd"),
        CredentialType.PSK_IDENTITY: pem_digest("nrf-tester"),
    }


@pytest.mark.proves("signing request", "SUCCEEDED, the CSR is of the key on the board")
def test_certificate_signing_request(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """The service gets a CSR with the attributes asked for, of a key that the board really holds."""
    command = claimed.add_command(
        CertificateSigningRequest(sec_tag=sec_tag, attributes="O=Harness,CN=board-1", key_usage="101010000")
    )

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert command.exported.count(".") == 1, "a request and the board's signature of it"
    generated = read_generated_key(command.exported)
    assert generated.form == "csr"
    assert set(generated.subject.split(",")) == {"CN=board-1", "O=Harness"}
    assert generated.key_usage == "101010000"
    assert (generated.sec_tag, generated.device_uuid) == (sec_tag, claimed.id)
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), generated.public_key)


@pytest.mark.proves("signing request", "SUCCEEDED, an earlier key is replaced")
def test_signing_request_replaces_the_key(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """The service deletes an earlier key itself, so a second request gives another key."""
    first = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    board.driver.provision()
    second = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    board.driver.provision()

    assert [command.refresh().status for command in (first, second)] == [CommandStatus.SUCCEEDED] * 2
    keys = [read_generated_key(command.exported).public_key for command in (first, second)]
    assert keys[0] != keys[1]
    token = board.driver.jwt(tag=sec_tag)
    assert not jwt_is_signed_by(token, keys[0])
    assert jwt_is_signed_by(token, keys[1])


@pytest.mark.proves("cloud access key", "SUCCEEDED, the board holds a new key")
def test_cloud_access_key(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """The board makes a key pair under the tag and can sign with it."""
    command = claimed.add_command(CloudAccessKeyGeneration(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert list(held(sec_tag)) == [CredentialType.CLIENT_KEY]
    assert board.driver.jwt(tag=sec_tag).count(".") == 2


@pytest.mark.proves("client key generation", "SUCCEEDED, the board holds a new key")
def test_client_private_key_generation(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """The board makes a key pair under the tag, and there was none before."""
    assert held(sec_tag) == {}
    command = claimed.add_command(ClientPrivateKeyGeneration(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert list(held(sec_tag)) == [CredentialType.CLIENT_KEY]


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("configuration", "SUCCEEDED, the board stores it")
def test_configuration(board: LeasedBoard, claimed: Any) -> None:
    """Configuration pairs end in the board's settings."""
    pairs = {"harness/colour": "white", "harness/place": "Oslo"}
    command = claimed.add_command(Configuration(properties=pairs))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    stored = board.virtual.call("settings")
    assert {key: stored.get(key) for key in pairs} == pairs


@pytest.mark.proves("finished", "SUCCEEDED, the device is PROVISIONED")
def test_finished(board: LeasedBoard, claimed: Any) -> None:
    """``finished`` ends the provisioning on both sides."""
    command = claimed.add_command(Finished())

    outcome = board.driver.provision()

    assert outcome.finished
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("create command", "20 open commands and no more")
def test_twenty_commands_and_no_more(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, refused: Any, sec_tag: int, root_ca: str
) -> None:
    """The 21st open command is refused, the 20 accepted ones all run, and then there is room again."""
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"
    body = {"request": {"serverCertificate": {"secTag": sec_tag, "content": root_ca}}}
    accepted = [nrfcloud.raw.request("POST", path, json=body) for _number in range(20)]
    assert [answer.status_code for answer in accepted] == [201] * 20
    with refused(400):
        claimed.add_command(Finished())

    board.driver.provision()

    commands = [claimed.command(answer.json()["id"]) for answer in accepted]
    assert {command.status for command in commands} == {CommandStatus.SUCCEEDED}
    assert nrfcloud.raw.request("POST", path, json={"request": {"finished": {}}}).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request": {}},
        {"request": {"teleportation": {"secTag": 1}}},
        {"request": {"serverCertificate": {"secTag": 1}}},
        {"request": {"serverCertificate": {"secTag": "one", "content": "x"}}},
        {"request": {"serverCertificate": {"secTag": -1, "content": "x"}}},
        {"request": {"finished": {}, "cloudAccessKeyGeneration": {"secTag": 1}}},
        {"request": {"config": {"properties": {"a": 1}}}},
    ],
    ids=["empty", "no type", "unknown type", "no content", "tag is text", "tag < 0", "two types", "no text"],
)
@pytest.mark.proves("create command", "400 for a request that is none")
def test_unfit_request(nrfcloud: Any, claimed: Any, body: dict[str, Any], refused: Any) -> None:
    """A request that is not one of the documented types is refused, and nothing waits for the board."""
    answer = nrfcloud.raw.request("POST", f"/v1/claimed-devices/{claimed.id}/provisioning", json=body)

    assert answer.status_code == refused.status(400)
    assert answer.json().get("message")
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.proves("create command", "404 for a device that is not claimed")
def test_command_for_an_unclaimed_device(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """A device that the team does not own takes no commands."""
    answer = nrfcloud.raw.request(
        "POST",
        f"/v1/claimed-devices/{board.driver.device_uuid()}/provisioning",
        json={"request": {"finished": {}}},
    )

    assert answer.status_code == refused.status(404)


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("create command", "404 for another team's device")
def test_command_of_another_team(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, refused: Any
) -> None:
    """Another team can neither add a command to our device nor read one of ours."""
    other = nrfcloud.another_team()
    ours = claimed.add_command(CloudAccessKeyGeneration(sec_tag=sec_tag))
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"

    assert other.raw.request("POST", path, json={"request": {"finished": {}}}).status_code == refused.status(
        404
    )
    assert other.raw.request("GET", f"{path}/{ours.id}").status_code == refused.status(404)

    assert not board.driver.provision().finished
    assert ours.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.proves("create command", "401 without the key of a team")
def test_command_without_a_key(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """Nobody adds a command without a team's key."""
    answer = nrfcloud.raw.request(
        "POST",
        f"/v1/claimed-devices/{claimed.id}/provisioning",
        json={"request": {"finished": {}}},
        headers={"Authorization": "Bearer wrong"},
    )

    assert answer.status_code == 401
    assert not board.driver.provision().finished


@pytest.mark.proves("read command", "404 for an unknown command")
def test_read_unknown_command(claimed: Any, refused: Any) -> None:
    """A command that never was cannot be read."""
    with refused(404):
        claimed.command("00000000-0000-4000-8000-000000000000")
