"""Provisioning commands: every type, executed by the board's own agent, checked on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused
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

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent"})


def types_in(board: LeasedBoard, tag: int) -> list[CredentialType]:
    """Return the types of the credentials under a tag."""
    return sorted(entry.type for entry in board.driver.credentials(tag=tag))


@pytest.mark.proves("create command", "201, PENDING, and so is the device")
def test_created_command_is_pending(claimed: Any, sec_tag: int, root_ca: str) -> None:
    """A new command waits for the board, and the device shows that something waits."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca), description="root")

    assert command.status is CommandStatus.PENDING
    assert claimed.command(command.id).description == "root"
    assert claimed.refresh().status is DeviceStatus.PENDING


@pytest.mark.proves("server certificate", "SUCCEEDED, the board holds it")
def test_server_certificate(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """A server certificate arrives on the board to the byte."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == pem_digest(root_ca)


@pytest.mark.proves("client certificate", "SUCCEEDED, the board holds it")
def test_client_certificate(board: LeasedBoard, claimed: Any, sec_tag: int, client_certificate: str) -> None:
    """A client certificate arrives on the board to the byte."""
    command = claimed.add_command(ClientCertificate(sec_tag=sec_tag, content=client_certificate))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    held = board.driver.credential_digest(sec_tag, CredentialType.CLIENT_CERT)
    assert held == pem_digest(client_certificate)


@pytest.mark.proves("client private key", "SUCCEEDED, the board holds it")
def test_client_private_key(board: LeasedBoard, claimed: Any, sec_tag: int, client_key: str) -> None:
    """A private key that the service sends arrives on the board."""
    command = claimed.add_command(ClientPrivateKey(sec_tag=sec_tag, content=client_key))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert types_in(board, sec_tag) == [CredentialType.CLIENT_KEY]
    assert board.driver.credential_digest(sec_tag, CredentialType.CLIENT_KEY) == pem_digest(client_key)


@pytest.mark.proves("pre-shared key", "SUCCEEDED, the board holds key and identity")
def test_pre_shared_key(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """A pre-shared key arrives as two credentials: the key and its identity."""
    command = claimed.add_command(
        PreSharedKey(sec_tag=sec_tag, identity="nrf-tester", secret="00112233aabbccdd")
    )

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert types_in(board, sec_tag) == [CredentialType.PSK, CredentialType.PSK_IDENTITY]
    assert board.driver.credential_digest(sec_tag, CredentialType.PSK) == pem_digest("00112233aabbccdd")
    assert board.driver.credential_digest(sec_tag, CredentialType.PSK_IDENTITY) == pem_digest("nrf-tester")


@pytest.mark.proves("signing request", "SUCCEEDED, the CSR is of the key on the board")
def test_certificate_signing_request(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """The service gets a CSR with the attributes asked for, of a key that the board really holds."""
    command = claimed.add_command(
        CertificateSigningRequest(sec_tag=sec_tag, attributes="O=Harness,CN=board-1", key_usage="101010000")
    )

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    generated = read_generated_key(command.response["certificateSigningRequest"]["csr"])
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

    keys = [
        read_generated_key(command.refresh().response["certificateSigningRequest"]["csr"]).public_key
        for command in (first, second)
    ]
    assert keys[0] != keys[1]
    token = board.driver.jwt(tag=sec_tag)
    assert not jwt_is_signed_by(token, keys[0])
    assert jwt_is_signed_by(token, keys[1])


@pytest.mark.proves("cloud access key", "SUCCEEDED, the board holds a new key")
def test_cloud_access_key(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """The board makes a key pair under the tag and can sign with it."""
    command = claimed.add_command(CloudAccessKeyGeneration(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert types_in(board, sec_tag) == [CredentialType.CLIENT_KEY]
    assert board.driver.jwt(tag=sec_tag).count(".") == 2


@pytest.mark.proves("client key generation", "SUCCEEDED, the board holds a new key")
def test_client_private_key_generation(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """The board makes a key pair under the tag, and there was none before."""
    assert types_in(board, sec_tag) == []
    command = claimed.add_command(ClientPrivateKeyGeneration(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert types_in(board, sec_tag) == [CredentialType.CLIENT_KEY]


@pytest.mark.proves("configuration", "SUCCEEDED, the board stores it")
def test_configuration(board: LeasedBoard, claimed: Any) -> None:
    """Configuration pairs end in the board's settings."""
    if not board.description.virtual:
        pytest.skip("no dialect of plain AT firmware reads settings back")
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


@pytest.mark.proves("fetch", "204 without commands")
def test_nothing_to_do(board: LeasedBoard, claimed: Any) -> None:
    """A claimed board without commands is told so and changes nothing."""
    outcome = board.driver.provision()

    assert not outcome.finished
    assert outcome.refused_with is None
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.proves("fetch", "403 for a JWT that another key signed")
def test_forged_jwt(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """A board that cannot prove who it is gets no command; with its own key again it does."""
    if not board.description.virtual:
        pytest.skip("only a virtual board can be told to forge its own JWT")
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.virtual.call("forge", what="jwt-signature", times=1)

    assert board.driver.provision().refused_with == 403
    assert command.refresh().status is CommandStatus.PENDING
    assert types_in(board, sec_tag) == []

    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.proves("execution", "in the order of creation, the last write stays")
def test_commands_run_in_order(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_cas: tuple[str, ...]
) -> None:
    """Three writes to one slot: what stays is the last."""
    commands = [claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=pem)) for pem in root_cas]

    board.driver.provision()

    assert {command.refresh().status for command in commands} == {CommandStatus.SUCCEEDED}
    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == pem_digest(root_cas[-1])


@pytest.mark.proves("execution", "split over fetches, all executed")
def test_many_commands_are_split_over_fetches(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...]
) -> None:
    """More commands than fit one answer reach the board in several, none lost."""
    tags = board.driver.sec_tags
    expected = {tag: root_cas[index % len(root_cas)] for index, tag in enumerate(tags)}
    for tag, pem in expected.items():
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem))
    claimed.add_command(Finished())

    assert board.driver.provision().finished

    held = {tag: board.driver.credential_digest(tag, CredentialType.ROOT_CA) for tag in tags}
    assert held == {tag: pem_digest(pem) for tag, pem in expected.items()}


@pytest.mark.proves("execution", "FAILED at a certificate that the board refuses, device ERROR")
def test_command_that_the_board_refuses(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """A board's refusal shows at the command with the board's own number, and at the device."""
    bad = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content="no certificate at all"))

    outcome = board.driver.provision()

    assert not outcome.finished
    assert bad.refresh().status is CommandStatus.FAILED
    assert "527" in str(bad.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert types_in(board, sec_tag) == []


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("execution", "stops at the failing command, what is behind it waits")
def test_commands_behind_a_failing_one_wait(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...]
) -> None:
    """What stands before the failing command is done, what stands behind it is not."""
    before, failing, behind = board.driver.sec_tags[:3]
    done = claimed.add_command(ServerCertificate(sec_tag=before, content=root_cas[0]))
    bad = claimed.add_command(ServerCertificate(sec_tag=failing, content="no certificate at all"))
    waits = claimed.add_command(ServerCertificate(sec_tag=behind, content=root_cas[1]))
    claimed.add_command(Finished())

    assert not board.driver.provision().finished
    assert not board.driver.provision().finished

    assert [command.refresh().status for command in (done, bad, waits)] == [
        CommandStatus.SUCCEEDED,
        CommandStatus.FAILED,
        CommandStatus.PENDING,
    ]
    assert board.driver.credential_digest(before, CredentialType.ROOT_CA) == pem_digest(root_cas[0])
    assert types_in(board, behind) == []


@pytest.mark.proves("create command", "20 open commands and no more")
def test_twenty_commands_and_no_more(
    board: LeasedBoard, claimed: Any, refused: Any, sec_tag: int, root_ca: str
) -> None:
    """The 21st open command is refused, and the 20 accepted ones all run."""
    accepted = [
        claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca)) for _number in range(20)
    ]
    with refused(400):
        claimed.add_command(Finished())

    board.driver.provision()

    assert {command.refresh().status for command in accepted} == {CommandStatus.SUCCEEDED}
    assert claimed.add_command(Finished()).status is CommandStatus.PENDING


@pytest.mark.proves("create command", "201 after PROVISIONED, the device is PENDING again")
def test_command_after_provisioned(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """A provisioned device can be given more to do, and does it."""
    claimed.add_command(Finished())
    board.driver.provision()
    assert claimed.refresh().status is DeviceStatus.PROVISIONED

    more = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    assert claimed.refresh().status is DeviceStatus.PENDING
    board.driver.provision()

    assert more.refresh().status is CommandStatus.SUCCEEDED
    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == pem_digest(root_ca)


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
def test_unfit_request(nrfcloud: Any, claimed: Any, body: dict[str, Any]) -> None:
    """A request that is not one of the documented types is refused, and nothing waits for the board."""
    answer = nrfcloud.raw.request("POST", f"/v1/claimed-devices/{claimed.id}/provisioning", json=body)

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.proves("create command", "404 for a device that is not claimed")
def test_command_for_an_unclaimed_device(board: LeasedBoard, nrfcloud: Any) -> None:
    """A device that the team does not own takes no commands."""
    answer = nrfcloud.raw.request(
        "POST",
        f"/v1/claimed-devices/{board.driver.device_uuid()}/provisioning",
        json={"request": {"finished": {}}},
    )

    assert answer.status_code == 404


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("create command", "404 for another team's device")
def test_command_of_another_team(board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int) -> None:
    """Another team can neither add a command to our device nor read one of ours."""
    other = nrfcloud.another_team()
    ours = claimed.add_command(CloudAccessKeyGeneration(sec_tag=sec_tag))
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"

    assert other.raw.request("POST", path, json={"request": {"finished": {}}}).status_code == 404
    assert other.raw.request("GET", f"{path}/{ours.id}").status_code == 404

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


@pytest.mark.proves("credential store", "519 when a key slot is occupied")
def test_key_slot_is_never_overwritten(board: LeasedBoard, sec_tag: int) -> None:
    """The board makes no second key over a first one."""
    first = read_generated_key(board.driver.generate_key(sec_tag)).public_key

    with pytest.raises(CommandRefused) as refusal:
        board.driver.generate_key(sec_tag)

    assert refusal.value.code == 519
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), first)


@pytest.mark.proves("credential store", "518 while the modem is active")
def test_no_write_while_the_modem_is_active(
    board: LeasedBoard, sec_tag: int, root_ca: str, client_certificate: str
) -> None:
    """Credentials are neither written, made nor deleted while the modem is active."""
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)
    board.driver.online()

    for forbidden in (
        f'AT%CMNG=0,{sec_tag},{CredentialType.CLIENT_CERT:d},"{client_certificate}"',
        f"AT%CMNG=3,{sec_tag},{CredentialType.ROOT_CA:d}",
        f"AT%KEYGEN={sec_tag},2,0",
    ):
        with pytest.raises(CommandRefused) as refusal:
            board.driver.at(forbidden)
        assert refusal.value.code == 518

    assert types_in(board, sec_tag) == [CredentialType.ROOT_CA]


@pytest.mark.proves("credential store", "kept over a power cycle")
def test_credentials_survive_a_power_cycle(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str
) -> None:
    """What was provisioned is still there after the power was cut."""
    if board.power is None:
        pytest.skip("the board has no power switch")
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.provision()

    board.power.set_power(on=False)
    board.power.set_power(on=True)

    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == pem_digest(root_ca)
