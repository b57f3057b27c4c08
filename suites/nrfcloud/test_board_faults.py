"""Provisioning a board that has faults: what the service hears, what the board holds, how it recovers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ForbiddenOutput
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    Configuration,
    Finished,
    ServerCertificate,
)
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent", "virtual"}),
    pytest.mark.backend(needs={"exact-status"}),
]

WRITE = "AT%CMNG=0"


@pytest.mark.backend(needs={"command-control"})
@pytest.mark.proves("board fault", "full memory: FAILED with 515, the board as before; done after a reset")
def test_full_memory(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """A certificate for which there is no room is refused by the board itself, and can be tried again."""
    board.virtual.call("set_capacity", size=len(root_ca) - 1)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert status_of(command) is CommandStatus.FAILED
    assert command.refresh().response["serverCertificate"]["error"]["cmeError"] == 515
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert held(sec_tag) == {}

    board.virtual.call("set_capacity", size=len(root_ca))
    claimed.reset()
    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("board fault", "no key could be made: FAILED with 523, no key on the board")
def test_key_generation_fails(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """The board's own number reaches the service, and no key is left behind."""
    board.virtual.call("fail_next", command="AT%KEYGEN", outcome=523)
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.FAILED
    assert command.response["certificateSigningRequest"]["error"]["cmeError"] == 523
    assert held(sec_tag) == {}


@pytest.mark.proves("board fault", "an error without a number: FAILED, what is behind it is not done")
def test_plain_error(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """The library takes a plain ERROR for done and goes on to finish; the service knows better."""
    board.virtual.call("fail_next", command=WRITE, outcome="error")
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    finished = claimed.add_command(Finished())

    assert board.driver.provision().event == "DONE"

    assert status_of(command) is CommandStatus.FAILED
    assert command.refresh().response["serverCertificate"]["error"] == {"cmeError": 0, "message": "ERROR"}
    assert held(sec_tag) == {}
    assert status_of(finished) is CommandStatus.PENDING
    assert claimed.refresh().status is DeviceStatus.ERROR


@pytest.mark.backend(needs={"command-control"})
@pytest.mark.proves("board fault", "a silent modem: FAILED without a number; done after a reset")
def test_silent_modem(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """A modem that never answers fails the command; the board's agent lives on."""
    board.virtual.call("configure", at_timeout=0.05)
    board.virtual.call("fail_next", command=WRITE, outcome="silent")
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert status_of(command) is CommandStatus.FAILED
    assert held(sec_tag) == {}

    claimed.reset()
    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("board fault", "a slow modem: SUCCEEDED")
def test_slow_modem(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """Slow answers are waited for."""
    board.virtual.call("disturb_next", command="AT%", how="slow", seconds=0.02, times=5)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("board fault", "no JWT from the modem: nothing fetched, commands stay PENDING; then done")
def test_no_jwt(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """A board that cannot say who it is asks for nothing."""
    board.virtual.call("fail_next", command="AT%JWT", outcome=525)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    outcome = board.driver.provision()

    assert (outcome.event, outcome.exchanges) == ("FAILED", ())
    assert status_of(command) is CommandStatus.PENDING
    assert held(sec_tag) == {}

    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("board fault", "no time after a restart without network time: nothing fetched; then done")
def test_clock_is_lost(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """The modem's time does not survive a restart, and without it no JWT is made."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = len(nrfcloud.device_requests(claimed.id))
    board.virtual.call("network_time", on=False)
    board.virtual.call("configure", time_wait=0.05)
    board.virtual.reset()

    assert board.driver.provision().event == "FAILED_NO_VALID_DATETIME"

    assert len(nrfcloud.device_requests(claimed.id)) == before
    assert held(sec_tag) == {}
    board.virtual.call("network_time", on=True)
    board.driver.offline()
    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("board fault", "a restart in mid-batch: after is empty, all of the batch is done again")
def test_restart_in_mid_batch(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    root_cas: tuple[str, ...],
    held: Any,
    status_of: Any,
    boot: Any,
) -> None:
    """What the board had done without reporting it is served and done again; what it had reported is not."""
    first, second, third = board.driver.sec_tags[:3]
    reported = claimed.add_command(ServerCertificate(sec_tag=first, content=root_cas[0]))
    board.driver.provision()
    lost = [
        claimed.add_command(ServerCertificate(sec_tag=tag, content=pem))
        for tag, pem in ((second, root_cas[1]), (third, root_cas[2]))
    ]
    before = len(nrfcloud.device_requests(claimed.id))
    board.virtual.call("passed_points", clear=True)
    # One write to flash for the second certificate, one for the third: the power goes behind that.
    board.virtual.call("arm_power_cut", point="after flash", nth=2, comes_back=True)
    with pytest.raises(ForbiddenOutput), board.console.forbid(boot):
        board.driver.provision()
    assert [status_of(command) for command in lost] == [CommandStatus.IN_PROGRESS] * 2

    board.driver.provision()

    assert [status_of(command) for command in (reported, *lost)] == [CommandStatus.SUCCEEDED] * 3
    requests = nrfcloud.device_requests(claimed.id)[before:]
    after = [re.findall(r"after=([^&]*)", each.query) for each in requests if each.method == "GET"]
    assert after[1] == [""], "the board remembers what it had forgotten"
    writes = [detail for point, detail in board.virtual.call("passed_points") if point == "after flash"]
    assert writes == [f"credential {tag},0 written" for tag in (second, third)] * 2
    assert [held(tag) for tag in (first, second, third)] == [
        {CredentialType.ROOT_CA: pem_digest(pem)} for pem in root_cas
    ]


@pytest.mark.proves(
    "board fault", "a KEYGEN output that another key signed: FAILED, the service takes no CSR"
)
def test_forged_key(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """The service believes a key only when the board's identity key vouches for it."""
    board.virtual.call("forge", what="keygen-signature")
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))

    board.driver.provision()

    assert command.refresh().status is CommandStatus.FAILED
    assert "csr" not in command.response["certificateSigningRequest"]
    assert "signature" in str(command.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert list(held(sec_tag)) == [CredentialType.CLIENT_KEY]


@pytest.mark.proves("claim", "422 for a token with a UUID that is not the board's")
def test_token_of_another_uuid(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """A token with a stale UUID is nobody's token, though the board's own key signed it."""
    board.virtual.call("forge", what="token-uuid")
    stale = board.driver.attestation_token()

    with refused(422):
        nrfcloud.claim(stale)

    assert not is_claimed_by(nrfcloud)
    assert nrfcloud.claim(board.driver.attestation_token()).id == board.driver.device_uuid()


@pytest.mark.proves("board fault", "no room for a key: FAILED with 515, the key before it is gone as ordered")
def test_no_room_for_a_key(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """The step before the generation deletes the old key; when the new one finds no room there is none."""
    old = board.driver.generate_key(sec_tag)
    board.virtual.call("set_capacity", size=0)
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))

    board.driver.provision()

    assert old
    assert command.refresh().status is CommandStatus.FAILED
    assert "515" in str(command.response)
    assert held(sec_tag) == {}


@pytest.mark.proves("board fault", "a setting that cannot be stored: FAILED, the settings before it stay")
def test_setting_that_cannot_be_stored(board: LeasedBoard, claimed: Any, status_of: Any) -> None:
    """A value longer than the firmware stores is refused with the firmware's number, not the modem's."""
    good = claimed.add_command(Configuration(properties={"harness/good": "1"}))
    bad = claimed.add_command(Configuration(properties={"harness/bad": "x" * 300}))

    board.driver.provision()

    assert status_of(good) is CommandStatus.SUCCEEDED
    assert status_of(bad) is CommandStatus.FAILED
    assert bad.refresh().response["config"]["error"]["cmeError"] == 2**32 - 22
    settings = board.virtual.call("settings")
    assert (settings.get("harness/good"), settings.get("harness/bad")) == ("1", None)


@pytest.mark.proves("board fault", "a noisy console: the agent's run and its end are heard, SUCCEEDED")
def test_noisy_console(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """Foreign lines and bytes around the command that starts the agent change nothing at either end."""
    for how in ("garbage", "unsolicited", "split"):
        board.virtual.call("disturb_next", command="AT#XNRFPROV", how=how, size=7, seed=5)
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))

    outcome = board.driver.provision()

    assert outcome.event == "NO_COMMANDS"
    assert command.refresh().status is CommandStatus.SUCCEEDED
    exported = read_generated_key(command.exported)
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), exported.public_key)
    assert list(held(sec_tag)) == [CredentialType.CLIENT_KEY]
