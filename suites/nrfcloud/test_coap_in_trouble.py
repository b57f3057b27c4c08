"""Provisioning by CoAP in trouble: lost and doubled datagrams, faults of the service, power cuts.

What is lost on the way is sent again, what comes twice counts once (RFC 7252, sections 4.2 and 4.5). As in
``test_coap.py`` there is no DTLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.evidence import step
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    Configuration,
    Finished,
    ServerCertificate,
)
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key
from harness_nordic.power_trials import PowerTrial

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent", "virtual"}),
    pytest.mark.backend(needs={"coap"}),
]

REQUESTS = ("POST p/auth-jwt", "GET p/cmd", "POST p/rsp")
PENDING, SUCCEEDED = CommandStatus.PENDING, CommandStatus.SUCCEEDED


@pytest.fixture(autouse=True)
def built(board: LeasedBoard, nrfcloud: Any) -> Callable[..., None]:
    """Build the board's firmware for CoAP, and so that it does not wait long before it sends again."""
    with step("Build the firmware for CoAP. There is no DTLS: the messages travel in the clear"):
        board.virtual.call("configure", transport="coap", coap_ack_timeout=0.05, coap_timeout=5.0)
    return lambda **options: board.virtual.call("configure", **options)


@pytest.fixture
def requests(nrfcloud: Any, board: LeasedBoard) -> Callable[[], list[Any]]:
    """Tell what the board has asked for since the test began (capability ``device-log``)."""
    uuid = board.driver.device_uuid()
    before = len(nrfcloud.device_requests(uuid))
    return lambda: nrfcloud.device_requests(uuid)[before:]


@pytest.fixture
def command(claimed: Any, sec_tag: int) -> Any:
    """A command that leaves another trace each time it is executed: a key that the board makes."""
    return claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))


@pytest.fixture
def is_done_once(board: LeasedBoard, command: Any, sec_tag: int) -> Callable[[], bool]:
    """Tell whether the key that the service knows is the one that the board has."""

    def check() -> bool:
        assert command.refresh().status is SUCCEEDED
        exported = read_generated_key(command.exported)
        return jwt_is_signed_by(board.driver.jwt(tag=sec_tag), exported.public_key)

    return check


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.parametrize("way", ["sent", "received"])
@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.proves("CoAP", "a datagram is lost: it is sent again, and what it asks for is done once")
def test_lost_datagram(
    board: LeasedBoard, claimed: Any, is_done_once: Any, requests: Any, request_name: str, way: str
) -> None:
    """Whether the question or the answer is lost makes no difference to anybody."""
    claimed.add_command(Finished())
    board.virtual.call("agent_log", clear=True)
    board.virtual.call("disturb_datagrams", request=request_name, how="lose", way=way)

    assert board.driver.provision().finished

    assert is_done_once()
    repeated = [entry["repeated"] for entry in board.virtual.call("agent_log") if "repeated" in entry]
    assert request_name in repeated
    assert [(each.method, each.path) for each in requests()] == [tuple(each.split()) for each in REQUESTS]


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.parametrize("way", ["sent", "received"])
@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.proves("CoAP", "a datagram comes twice: it counts once")
def test_doubled_datagram(
    board: LeasedBoard, claimed: Any, is_done_once: Any, requests: Any, request_name: str, way: str
) -> None:
    """Neither the service nor the board takes a second copy for a second message."""
    claimed.add_command(Finished())
    board.virtual.call("disturb_datagrams", request=request_name, how="double", way=way, times=3)

    assert board.driver.provision().finished

    assert is_done_once()
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert [(each.method, each.path) for each in requests()] == [tuple(each.split()) for each in REQUESTS]


@pytest.mark.parametrize("way", ["sent", "received"])
@pytest.mark.parametrize("request_name", ["GET p/cmd", "POST p/rsp"])
@pytest.mark.proves("CoAP", "datagrams are lost amid blocks: commands and report are whole all the same")
def test_lost_blocks(
    board: LeasedBoard, claimed: Any, built: Any, is_done_once: Any, request_name: str, way: str
) -> None:
    """Every block that is missing is asked for, or sent, again."""
    claimed.add_command(Configuration(properties={"harness/long": "x" * 200}))
    built(coap_block_size=64)
    board.virtual.call("disturb_datagrams", request=request_name, how="lose", way=way, times=2)

    board.driver.provision()

    assert is_done_once()
    assert board.virtual.call("settings")["harness/long"] == "x" * 200


@pytest.mark.proves("CoAP", "nothing arrives any more: FAILED in time, commands PENDING, later it goes on")
def test_service_out_of_reach(
    board: LeasedBoard, command: Any, built: Any, held: Any, sec_tag: int, is_done_once: Any
) -> None:
    """An agent does not wait for ever, and does not lose anything."""
    built(coap_timeout=0.3)
    board.virtual.call("disturb_datagrams", request="GET p/cmd", how="lose", way="sent", times=100)

    outcome = board.driver.provision()

    assert (outcome.event, outcome.finished) == ("FAILED", False)
    assert outcome.exchanges[-1].status is None
    assert command.refresh().status is PENDING
    assert held(sec_tag) == {}

    board.virtual.call("clear_faults")
    built(transport="coap")
    board.driver.provision()
    assert is_done_once()


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize(
    ("fault", "event"),
    [
        pytest.param({"kind": "status", "status": 500}, "FAILED", id="5.00"),
        pytest.param({"kind": "status", "status": 503}, "FAILED", id="5.03"),
        pytest.param({"kind": "status", "status": 404}, "FAILED", id="4.04"),
        pytest.param({"kind": "status", "status": 401}, "FAILED_DEVICE_NOT_CLAIMED", id="4.01"),
        pytest.param({"kind": "lost-answer"}, "FAILED", id="reset"),
        pytest.param({"kind": "truncated"}, "FAILED", id="cut-off"),
        pytest.param({"kind": "garbage"}, "FAILED", id="garbage"),
        pytest.param({"kind": "indefinite"}, "FAILED", id="indefinite"),
        pytest.param({"kind": "oversize"}, "FAILED", id="oversize"),
        pytest.param({"kind": "too-many"}, "FAILED_TOO_MANY_COMMANDS", id="too-many"),
    ],
)
@pytest.mark.proves("CoAP", "a fetch goes wrong: the run fails, nothing is executed; the next is well")
def test_fetch_goes_wrong(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    command: Any,
    is_done_once: Any,
    fault: dict[str, Any],
    event: str,
) -> None:
    """The faults of the service strike at this door, too."""
    with nrfcloud.fault(claimed, on="fetch", **fault) as ordered:
        outcome = board.driver.provision()
        assert ordered.struck == 1

    assert (outcome.event, outcome.finished) == (event, False)
    assert board.driver.credentials(tag=board.driver.sec_tags[0]) == []
    assert command.refresh().status is not SUCCEEDED

    board.driver.provision()
    assert is_done_once()


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize("place", ["fetch", "report"])
@pytest.mark.proves("CoAP", "a late answer: acknowledged at once, given later, taken once")
def test_late_answer(board: LeasedBoard, nrfcloud: Any, claimed: Any, is_done_once: Any, place: str) -> None:
    """What takes long is answered by a message of its own, which the board acknowledges."""
    board.virtual.call("agent_log", clear=True)
    with nrfcloud.fault(claimed, on=place, kind="delay", seconds=0.3) as fault:
        outcome = board.driver.provision()
        assert fault.struck == 1

    assert outcome.event == "NO_COMMANDS"
    assert is_done_once()
    problems = [entry for entry in board.virtual.call("agent_log") if "problem" in entry]
    assert problems == []


@pytest.mark.backend(needs={"faults"})
@pytest.mark.parametrize(
    ("kind", "details"),
    [
        pytest.param("status", {"status": 500}, id="5.00"),
        pytest.param("lost-answer", {"status": 500}, id="taken-but-5.00"),
        pytest.param("lost-answer", {}, id="taken-but-reset"),
        pytest.param("duplicate", {}, id="taken-twice"),
    ],
)
@pytest.mark.proves("CoAP", "a report goes wrong: the run goes on, nothing is executed twice")
def test_report_goes_wrong(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    command: Any,
    held: Any,
    sec_tag: int,
    kind: str,
    details: dict[str, Any],
) -> None:
    """The board does not hear, or hears otherwise, what became of its report; it is past the command."""
    with nrfcloud.fault(claimed, on="report", kind=kind, **details) as fault:
        outcome = board.driver.provision()
        assert fault.struck == 1
    made = held(sec_tag)

    board.driver.provision()

    assert outcome.event == "NO_COMMANDS"
    assert list(made) == [CredentialType.CLIENT_KEY]
    assert held(sec_tag) == made
    assert (command.refresh().status is SUCCEEDED) == (kind != "status")


@pytest.mark.backend(needs={"device-log", "exact-status"})
@pytest.mark.parametrize("point", ["before exchange", "request sent", "after exchange"])
@pytest.mark.proves("CoAP", "power cut at any exchange: the board recovers, all is done once")
def test_power_cut(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    root_cas: tuple[str, ...],
    point: Literal["before exchange", "request sent", "after exchange"],
) -> None:
    """A board without power says nothing more, and begins anew with its connection."""
    trial = PowerTrial(board, nrfcloud, claimed, agent="board")
    tag = board.driver.sec_tags[0]

    def mix(number: int) -> list[Any]:
        content = root_cas[number % len(root_cas)]
        return [ServerCertificate(sec_tag=tag, content=content), Finished()]

    passed = [detail for name, detail in trial.points(mix(0)) if name == point]
    assert [detail.partition("?")[0] for detail in passed] == list(REQUESTS)
    for index in range(len(passed)):
        trial.cut(mix(index + 1), point, index + 1)
    assert board.driver.credential_digest(tag, CredentialType.ROOT_CA) == pem_digest(root_cas[0])
