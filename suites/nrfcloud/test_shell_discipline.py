"""Boards whose console is a Zephyr shell: everything that an AT host does works through it too.

Tests that take ``discipline`` run with both; a virtual board gets the firmware for it, any other board has
one of them and skips the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardFault, CommandRefused, UsageError
from harness_nordic.client_requests import ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

through_a_shell = pytest.mark.parametrize("discipline", ["at-shell"], indirect=True)


@pytest.fixture
def reflash(board: LeasedBoard) -> Callable[[str], None]:
    """Give the board firmware of another discipline, and tell nobody."""
    return lambda discipline: board.virtual.call("configure", discipline=discipline)


@pytest.mark.proves("any discipline", "the board says who it is")
def test_board_says_who_it_is(board: LeasedBoard, discipline: str, nrfcloud: Any) -> None:
    """IMEI, model, firmware and UUID are the same as the service has of it."""
    who = board.driver.identity()

    device = nrfcloud.claim(board.driver.attestation_token())

    assert board.driver.line.discipline == discipline
    assert (device.id, device.imei) == (who.uuid, who.imei)
    assert who.model.startswith("nRF91")


@pytest.mark.proves("any discipline", "READY after a claim by the board's token, the list shows it")
def test_claim_by_the_token_of_the_console(
    discipline: str, board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any
) -> None:
    """A token that came over either console is good."""
    device = nrfcloud.claim(board.driver.attestation_token())

    assert device.status is DeviceStatus.READY
    assert is_claimed_by(nrfcloud)
    assert board.driver.line.discipline == discipline


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("any discipline", "found out again when the firmware was exchanged")
def test_new_firmware_speaks_otherwise(
    board: LeasedBoard, reflash: Any, would_claim: Any, nrfcloud: Any
) -> None:
    """A board that gets other firmware between two commands is understood with the next one."""
    spoken = []
    for discipline in ("at-host", "at-shell", "at-host"):
        reflash(discipline)
        assert would_claim(nrfcloud).status_code == 202
        spoken.append(str(board.driver.line.discipline))

    assert spoken == ["at-host", "at-shell", "at-host"]


@pytest.mark.proves("any discipline", "certificate stored: through a shell with CR LF, else as it was")
def test_line_ends_of_a_certificate(
    board: LeasedBoard, discipline: str, sec_tag: int, root_ca: str, held: Any
) -> None:
    """The digest is of the text as it is stored, which on a shell's way gets CR LF."""
    assert "\n" in root_ca
    assert "\r" not in root_ca

    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)

    stored = root_ca.replace("\n", "\r\n") if discipline == "at-shell" else root_ca
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(stored)}
    assert board.driver.as_stored(root_ca) == stored


@pytest.mark.proves("any discipline", "two long certificates in one credential are stored whole")
def test_long_credential(
    board: LeasedBoard, discipline: str, sec_tag: int, root_cas: tuple[str, ...], held: Any
) -> None:
    """What is longer than any line of a terminal arrives whole; its echo is taken for no reply."""
    both = "\n\n".join(root_cas[:2])
    assert len(both) > 1000

    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, both)

    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(board.driver.as_stored(both))}
    assert board.driver.line.discipline == discipline


@pytest.mark.proves("any discipline", "the key that was made signs, and its request is the board's")
def test_key_is_made_on_the_board(board: LeasedBoard, discipline: str, sec_tag: int) -> None:
    """What KEYGEN exports comes back whole, subject and all."""
    made = read_generated_key(board.driver.generate_key(sec_tag, attributes="CN=harness,O=it's ours"))

    assert made.device_uuid == board.driver.device_uuid()
    assert made.sec_tag == sec_tag
    assert made.subject is not None
    assert "it's ours" in made.subject
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), made.public_key)
    assert board.driver.line.discipline == discipline


@pytest.mark.proves("any discipline", "513, 518, 519 and plain errors of the modem")
def test_errors_of_the_modem(board: LeasedBoard, discipline: str, sec_tag: int, held: Any) -> None:
    """Refusals come with their numbers, and what was refused was not done."""
    driver = board.driver
    driver.generate_key(sec_tag)
    codes = []
    for attempt in (
        lambda: driver.generate_key(sec_tag),
        lambda: driver.delete_credential(sec_tag, CredentialType.CLIENT_CERT),
        lambda: (driver.online(), driver.at(f"AT%CMNG=3,{sec_tag},{CredentialType.CLIENT_KEY:d}")),
        lambda: driver.at("AT+NOSUCHCOMMAND"),
    ):
        with pytest.raises(CommandRefused) as refusal:
            attempt()
        codes.append(refusal.value.code)

    assert codes == [519, 513, 518, None]
    assert list(held(sec_tag)) == [CredentialType.CLIENT_KEY]
    assert driver.line.discipline == discipline


@pytest.mark.proves("any discipline", "restarted by the firmware's own command, what was provisioned stays")
def test_restart(
    board: LeasedBoard, discipline: str, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """After a restart the modem is as after a boot, the credentials are there, and provisioning goes on."""
    tags = board.driver.sec_tags
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)
    command = claimed.add_command(ServerCertificate(sec_tag=tags[1], content=root_ca))

    board.driver.reset()

    assert board.driver.functional_mode() == 1
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(board.driver.as_stored(root_ca))}
    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert list(held(tags[1])) == [CredentialType.ROOT_CA]
    assert board.driver.line.discipline == discipline


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("any discipline", "a notification amid a reply is no part of it")
def test_notification_amid_a_reply(board: LeasedBoard, discipline: str) -> None:
    """What the modem says unasked is told from what it answers."""
    imei = board.driver.imei()
    board.virtual.call("disturb_next", command="AT+CGSN", how="unsolicited", text="+CEREG: 5", inside=True)

    assert board.driver.imei() == imei
    assert board.console.wait_unsolicited("+CEREG: 5", timeout=5) == "+CEREG: 5"
    assert board.driver.line.discipline == discipline


@pytest.mark.board(needs={"virtual"})
@pytest.mark.proves("any discipline", "a reply in pieces is one reply")
def test_reply_in_pieces(board: LeasedBoard, discipline: str, nrfcloud: Any, is_claimed_by: Any) -> None:
    """A token that comes in pieces, also amid colours and line ends, is whole."""
    board.virtual.call("disturb_next", command="AT%ATTESTTOKEN", how="split", size=3, seconds=0.0005)

    nrfcloud.claim(board.driver.attestation_token())

    assert is_claimed_by(nrfcloud)
    assert board.driver.line.discipline == discipline


@through_a_shell
@pytest.mark.usefixtures("discipline")
@pytest.mark.proves("shell", "a credential that it would change is refused and not written")
def test_what_a_shell_would_change(board: LeasedBoard, sec_tag: int, held: Any) -> None:
    """A backslash before an n would become a line break on the board: the driver does not type it."""
    with pytest.raises(UsageError, match="cannot be typed to a Zephyr shell"):
        board.driver.write_credential(sec_tag, CredentialType.PSK_IDENTITY, r"home\network")

    assert held(sec_tag) == {}


@pytest.mark.board(needs={"virtual"})
@through_a_shell
@pytest.mark.usefixtures("discipline")
@pytest.mark.proves("shell", "a credential longer than its line is not written, not even in part")
def test_line_that_is_too_long(board: LeasedBoard, sec_tag: int, root_ca: str, held: Any) -> None:
    """A shell with a short buffer cuts the line off and says so; short commands work as before."""
    board.virtual.call("configure", shell_size=256)

    with pytest.raises(BoardFault, match=r"its shell does not take .* characters typed: it says"):
        board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)

    assert held(sec_tag) == {}
    assert board.driver.imei() == board.description.properties.get("imei", board.driver.imei())


@through_a_shell
@pytest.mark.usefixtures("discipline")
@pytest.mark.proves("shell", "its token claims the board, its UUID is the board's")
def test_token_of_the_provisioning_shell(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """``nrf_provisioning token`` and ``uuid`` say the same as the AT commands."""
    run = board.driver.line.run
    uuid = board.driver.device_uuid()
    try:
        token = run(board.console, "nrf_provisioning token", timeout=5, reason="the token by the shell")[-1]
    except CommandRefused:
        pytest.skip("the shell has no such command")
    board.register_secret(token, "attestation token")

    assert run(board.console, "nrf_provisioning uuid", timeout=5, reason="the UUID by the shell") == [uuid]
    assert nrfcloud.claim(token).id == uuid
    assert is_claimed_by(nrfcloud)
