"""Provisioning by CoAP: the board's own agent, built for the other variant of the protocol.

Steps and codes: nrfcloud fact sheet, section 3.3. Fake and virtual board speak it without DTLS, which the
real service demands; every test says so in its report. A code stands like a status here: 4.01 is 401.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.evidence import step
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    ClientCertificate,
    CloudAccessKeyGeneration,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CommandType, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent", "virtual"}),
    pytest.mark.backend(needs={"coap"}),
]

PATHS = {"p/auth-jwt", "p/cmd", ".dtls/suspend", "p/rsp"}
PENDING, SUCCEEDED, FAILED = CommandStatus.PENDING, CommandStatus.SUCCEEDED, CommandStatus.FAILED


@pytest.fixture(autouse=True)
def built(board: LeasedBoard, nrfcloud: Any) -> Callable[..., None]:
    """Build the board's firmware for CoAP, with other options too; the end of the test puts it back."""
    with step("Build the firmware for CoAP. There is no DTLS: the messages travel in the clear"):
        board.virtual.call("configure", transport="coap")
    return lambda **options: board.virtual.call("configure", **options)


@pytest.fixture
def paths(nrfcloud: Any, board: LeasedBoard) -> Callable[[], list[str]]:
    """Tell which paths the board has asked for since the test began (capability ``device-log``)."""
    uuid = board.driver.device_uuid()
    before = len(nrfcloud.device_requests(uuid))
    return lambda: [request.path for request in nrfcloud.device_requests(uuid)[before:]]


@pytest.mark.proves("CoAP", "every type of command SUCCEEDED, device PROVISIONED, the board holds it all")
def test_every_type_of_command(
    board: LeasedBoard, claimed: Any, root_ca: str, client_certificate: str, held: Any
) -> None:
    """What the service wants written is on the board, what it wants made was made there."""
    tags = board.driver.sec_tags
    requests = [
        ServerCertificate(sec_tag=tags[0], content=root_ca),
        ClientCertificate(sec_tag=tags[0], content=client_certificate),
        PreSharedKey(sec_tag=tags[1], identity="harness", secret="00112233aabbccdd"),
        CertificateSigningRequest(sec_tag=tags[2], attributes="CN=harness", key_usage="101010000"),
        CloudAccessKeyGeneration(sec_tag=tags[3]),
        Configuration(properties={"harness/variant": "coap"}),
        Finished(),
    ]
    commands = [claimed.add_command(request) for request in requests]

    outcome = board.driver.provision()

    assert (outcome.finished, outcome.event) == (True, "DONE")
    assert {exchange.path for exchange in outcome.exchanges} == PATHS
    assert [command.refresh().status for command in commands] == [SUCCEEDED] * len(requests)
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert held(tags[0]) == {
        CredentialType.ROOT_CA: pem_digest(root_ca),
        CredentialType.CLIENT_CERT: pem_digest(client_certificate),
    }
    assert list(held(tags[1])) == [CredentialType.PSK, CredentialType.PSK_IDENTITY]
    made = read_generated_key(commands[3].exported)
    assert jwt_is_signed_by(board.driver.jwt(tag=tags[2]), made.public_key)
    assert board.virtual.call("settings")["harness/variant"] == "coap"


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("CoAP", "2.01 for the JWT, then 2.05, then 2.04: each exactly once in a run")
def test_steps_of_a_run(board: LeasedBoard, claimed: Any, nrfcloud: Any) -> None:
    """The board proves once who it is, with its versions; the fetch carries what it can take."""
    claimed.add_command(Finished())

    assert board.driver.provision().finished

    asked = nrfcloud.device_requests(claimed.id, last=3)
    assert [(each.method, each.path, each.status) for each in asked] == [
        ("POST", "p/auth-jwt", 201),
        ("GET", "p/cmd", 205),
        ("POST", "p/rsp", 204),
    ]
    assert {option.partition("=")[0] for option in asked[0].query.split("&")} == {"mver", "cver"}
    assert {option.partition("=")[0] for option in asked[1].query.split("&")} == {
        "after",
        "rxMaxSize",
        "txMaxSize",
        "limit",
    }


@pytest.mark.proves("CoAP", "2.05 without a payload when there is nothing to do")
def test_nothing_to_do(board: LeasedBoard, claimed: Any) -> None:
    """A board without commands is done at once."""
    outcome = board.driver.provision()

    assert outcome.event == "NO_COMMANDS"
    assert [(each.path, each.status) for each in outcome.exchanges] == [("p/auth-jwt", 201), ("p/cmd", 205)]
    assert claimed.refresh().status is DeviceStatus.READY


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("CoAP", "4.01 while nobody has claimed the device: FAILED_DEVICE_NOT_CLAIMED")
def test_unclaimed_board(board: LeasedBoard, nrfcloud: Any) -> None:
    """A board that is nobody's is sent away, and can be claimed afterwards."""
    outcome = board.driver.provision()

    assert (outcome.event, outcome.refused_with) == ("FAILED_DEVICE_NOT_CLAIMED", 401)
    assert not outcome.finished

    finished = nrfcloud.claim(board.driver.attestation_token()).add_command(Finished())
    assert board.driver.provision().finished
    assert finished.refresh().status is SUCCEEDED


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("CoAP", "4.03 while blocked, commands stay PENDING; unblocked they run")
def test_blocked_board(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """The block holds at this door, too."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    claimed.block()

    outcome = board.driver.provision()

    assert (outcome.event, outcome.refused_with) == ("FAILED", 403)
    assert status_of(command) is PENDING
    assert held(sec_tag) == {}

    claimed.unblock()
    board.driver.provision()
    assert status_of(command) is SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("CoAP", "4.03 for a JWT that another key has signed: nothing is handed out")
def test_forged_jwt(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """Whoever cannot prove who it is gets no commands."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.virtual.call("forge", what="jwt-signature")

    outcome = board.driver.provision()

    assert (outcome.event, outcome.refused_with) == ("FAILED", 403)
    assert command.refresh().status is PENDING
    assert held(sec_tag) == {}


@pytest.mark.parametrize("size", [16, 64, 256, 1024])
@pytest.mark.proves("CoAP", "certificates come in blocks of every size, and are whole on the board")
def test_certificates_in_blocks(
    board: LeasedBoard, claimed: Any, built: Any, root_cas: Any, held: Any, size: int
) -> None:
    """A batch that is longer than a block is put together again, byte for byte."""
    tags = board.driver.sec_tags[: len(root_cas)]
    built(coap_block_size=size, rx_size=4096)
    commands = [
        claimed.add_command(ServerCertificate(sec_tag=tag, content=content))
        for tag, content in zip(tags, root_cas, strict=True)
    ]
    board.virtual.call("agent_log", clear=True)

    assert board.driver.provision().event == "NO_COMMANDS"

    sizes = [entry["size"] for entry in board.virtual.call("agent_log") if entry.get("exchange") == "GET"]
    assert sizes[0] > max(size, sum(map(len, root_cas)))
    assert sizes[1:] == [0]
    assert [command.refresh().status for command in commands] == [SUCCEEDED] * len(root_cas)
    assert [held(tag) for tag in tags] == [
        {CredentialType.ROOT_CA: pem_digest(content)} for content in root_cas
    ]


@pytest.mark.parametrize("size", [32, 256])
@pytest.mark.proves("CoAP", "a report with a CSR goes in blocks, and is whole at the service")
def test_report_in_blocks(board: LeasedBoard, claimed: Any, built: Any, sec_tag: int, size: int) -> None:
    """A CSR that the board has made verifies at the other end."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag, attributes="CN=blocks"))
    built(coap_block_size=size)

    board.driver.provision()

    assert command.refresh().status is SUCCEEDED
    exported = command.exported
    assert len(exported) > size
    made = read_generated_key(exported)
    assert made.subject == "CN=blocks"
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), made.public_key)


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("CoAP", "many commands: one proof of identity, several fetches, `after` carried on")
def test_many_commands(board: LeasedBoard, claimed: Any, built: Any, paths: Any) -> None:
    """The connection holds for the whole run, however many batches it takes."""
    pairs = {f"harness/{number}": str(number) for number in range(5)}
    commands = [claimed.add_command(Configuration(properties={key: value})) for key, value in pairs.items()]
    built(limit=2)

    assert board.driver.provision().event == "NO_COMMANDS"

    assert [command.refresh().status for command in commands] == [SUCCEEDED] * 5
    assert pairs.items() <= board.virtual.call("settings").items()
    assert paths() == ["p/auth-jwt", *["p/cmd", "p/rsp"] * 3, "p/cmd"]


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("CoAP", "a board that keeps no connection proves who it is before each exchange")
def test_connection_is_not_kept(board: LeasedBoard, claimed: Any, built: Any, paths: Any) -> None:
    """The service knows a board by its connection only: on another one it has to ask again."""
    command = claimed.add_command(Configuration(properties={"harness/kept": "no"}))
    built(coap_keep_open=False)

    outcome = board.driver.provision()

    assert outcome.event == "NO_COMMANDS"
    assert ".dtls/suspend" not in {exchange.path for exchange in outcome.exchanges}
    assert command.refresh().status is SUCCEEDED
    assert paths() == ["p/auth-jwt", "p/cmd", "p/auth-jwt", "p/rsp", "p/cmd"]


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("CoAP", "a failed command is FAILED with its error, what is behind it is not executed")
def test_failing_command(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any) -> None:
    """Errors are told at this door as at the other."""
    board.virtual.call("fail_next", command=f"AT%CMNG=0,{sec_tag}", outcome=515)
    failing = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    behind = claimed.add_command(Configuration(properties={"harness/behind": "1"}))

    board.driver.provision()

    assert failing.refresh().status is FAILED
    assert "515" in str(failing.response)
    assert behind.refresh().status is PENDING
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert held(sec_tag) == {}
    assert "harness/behind" not in board.virtual.call("settings")


@pytest.mark.proves("CoAP", "one queue for both variants: what one has done the other does not fetch")
def test_both_variants(board: LeasedBoard, claimed: Any, built: Any) -> None:
    """A board whose firmware is changed over to the other variant goes on where it was."""
    first = claimed.add_command(Configuration(properties={"harness/first": "1"}))
    board.driver.provision()
    second = claimed.add_command(Configuration(properties={"harness/second": "2"}))
    built(transport="http")
    board.driver.provision()
    third = claimed.add_command(Finished())
    built(transport="coap")
    board.virtual.call("agent_log", clear=True)

    assert board.driver.provision().finished

    assert [command.refresh().status for command in (first, second, third)] == [SUCCEEDED] * 3
    stored = board.virtual.call("settings")
    assert (stored["harness/first"], stored["harness/second"]) == ("1", "2")
    sizes = [entry["size"] for entry in board.virtual.call("agent_log") if entry.get("exchange") == "GET"]
    assert len(sizes) == 1
    assert sizes[0] < 60, "more than `finished` was fetched"


@pytest.mark.proves("CoAP", "the device is unclaimed and claimed again: nothing of the old queue is left")
def test_claimed_again(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """A new claim begins with a clean record at this door, too."""
    claimed.add_command(Configuration(properties={"harness/old": "1"}))
    claimed.unclaim()
    again = nrfcloud.claim(board.driver.attestation_token())

    assert board.driver.provision().event == "NO_COMMANDS"

    assert "harness/old" not in board.virtual.call("settings")
    assert again.refresh().status is DeviceStatus.READY


@pytest.mark.backend(needs={"rules", "rule-details", "command-list"})
@pytest.mark.proves("CoAP", "a rule is applied when the board asks at this door: once, `finished` at its end")
def test_rule(board: LeasedBoard, rule: Any, tagged: Any, root_ca: str, has_ca: Any, types_of: Any) -> None:
    """The fetch by CoAP is an attempt to provision like any other."""
    assert tagged.commands() == []

    assert board.driver.provision().finished
    assert board.driver.provision().event == "NO_COMMANDS"

    assert tagged.refresh().status is DeviceStatus.PROVISIONED
    assert types_of(tagged) == [CommandType.SERVER_CERTIFICATE, CommandType.FINISHED]
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rules", "command-list", "exact-status"})
@pytest.mark.proves("CoAP", "no rule is applied to a blocked board, nor by the proof of who it is alone")
def test_rule_of_a_blocked_board(
    board: LeasedBoard, rule: Any, tagged: Any, root_ca: str, has_ca: Any, held: Any, sec_tag: int
) -> None:
    """Only a board that fetches gets what a rule has for it."""
    tagged.block()
    assert board.driver.provision().refused_with == 403
    assert tagged.commands() == []

    tagged.unblock()
    board.virtual.call("configure", coap_timeout=2.0)  # the proof of who it is has to be answered within it
    board.virtual.call("disturb_datagrams", request="GET p/cmd", how="lose", way="sent", times=9)
    outcome = board.driver.provision()
    assert [(each.path, each.status) for each in outcome.exchanges] == [("p/auth-jwt", 201), ("p/cmd", None)]
    assert tagged.commands() == []
    assert held(sec_tag) == {}

    board.virtual.call("clear_faults")
    board.virtual.call("configure", transport="coap")
    board.driver.provision()
    assert has_ca(root_ca)
