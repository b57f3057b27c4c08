"""The credential store on the board: what it refuses, and what stays without power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused
from harness_nordic.client_requests import ClientPrivateKeyGeneration, Configuration, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})


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
    board: LeasedBoard, sec_tag: int, root_ca: str, client_certificate: str, held: Any
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

    assert list(held(sec_tag)) == [CredentialType.ROOT_CA]


@pytest.mark.proves("credential store", "kept over a power cycle")
def test_credentials_survive_a_power_cycle(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """What was provisioned is still there after the power was cut."""
    if board.power is None:
        pytest.skip("the board has no power switch")
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.provision()

    board.power.set_power(on=False)
    board.power.set_power(on=True)

    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("credential store", "generated keys are kept over a power cycle")
def test_generated_key_survives_a_power_cycle(board: LeasedBoard, sec_tag: int, held: Any) -> None:
    """The board signs with the same key after the power was cut."""
    if board.power is None:
        pytest.skip("the board has no power switch")
    public_key = read_generated_key(board.driver.generate_key(sec_tag)).public_key

    board.power.set_power(on=False)
    board.power.set_power(on=True)

    assert list(held(sec_tag)) == [CredentialType.CLIENT_KEY]
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), public_key)


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("configuration", "kept over a power cycle")
def test_configuration_survives_a_power_cycle(board: LeasedBoard, claimed: Any) -> None:
    """Settings are still there after the power was cut."""
    claimed.add_command(Configuration(properties={"harness/place": "Bergen"}))
    board.driver.provision()

    board.virtual.set_power(on=False)
    board.virtual.set_power(on=True)

    assert board.virtual.call("settings").get("harness/place") == "Bergen"


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("client key generation", "the service gets the public key of the key on the board")
def test_service_gets_the_public_key(board: LeasedBoard, claimed: Any, sec_tag: int) -> None:
    """What the service holds afterwards is the public half of the very key that the board signs with."""
    command = claimed.add_command(ClientPrivateKeyGeneration(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    answer = command.response["clientPrivateKeyGeneration"]
    assert "publicKey" in answer
    generated = read_generated_key(answer["publicKey"])
    assert (generated.form, generated.sec_tag, generated.device_uuid) == ("public key", sec_tag, claimed.id)
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), generated.public_key)


@pytest.mark.proves("credential store", "513 when the slot to delete is empty")
def test_delete_of_an_empty_slot(board: LeasedBoard, sec_tag: int) -> None:
    """Nothing is deleted where nothing is."""
    with pytest.raises(CommandRefused) as refusal:
        board.driver.delete_credential(sec_tag, CredentialType.CLIENT_CERT)

    assert refusal.value.code == 513
