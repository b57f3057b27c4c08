"""The virtual board's CoAP variant as whoever controls the board sees it; the service is the fake itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.enums import CommandStatus, CommandType, DeviceType, FaultKind, FaultPlace
from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN
from harness_nordic.fake.faults import Fault
from harness_nordic.fake.records import FactoryRecord
from harness_nordic.fake.tokens import load_public_key
from tests.nordic.fake.coap_peers import UdpServer
from tests.nordic.virtual.agent_runs import events, run

if TYPE_CHECKING:
    from collections.abc import Iterator


def serve(board: Any, fake: NrfCloudFake) -> Any:
    """Claim a board, and return the claim."""
    record = board.call("factory_record")
    fake.provisioning.enrol(
        FactoryRecord(
            id=record["uuid"],
            public_key=load_public_key(record["public_key"]),
            imei=record["imei"],
            device_type=DeviceType(record["device_type"]),
            firmware_id=record["firmware_uuid"],
        )
    )
    board.type(b"AT%ATTESTTOKEN\r")
    token = board.host.sent("console").decode().rpartition('%ATTESTTOKEN: "')[2].partition('"')[0]
    return fake.provisioning.claim(fake.provisioning.add_member(), token, [])


@pytest.fixture
def fake() -> NrfCloudFake:
    """A service with CoAP."""
    return NrfCloudFake()


@pytest.fixture
def server(fake: NrfCloudFake) -> Iterator[UdpServer]:
    """Its door."""
    with UdpServer(fake.datagrams) as server:
        yield server


@pytest.fixture
def by_coap(board: Any, server: UdpServer) -> Any:
    """A board that is built for CoAP and knows the service."""
    board.call("set_service", url=f"coap://127.0.0.1:{server.port}")
    board.call("configure", transport="coap", coap_ack_timeout=0.05, coap_timeout=5.0)
    return board


def exchanges(log: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    """Return path and status of each exchange."""
    return [(entry["target"].partition("?")[0], entry["status"]) for entry in log if "exchange" in entry]


def test_run(by_coap: Any, fake: NrfCloudFake) -> None:
    """A run proves once who the board is, and fetches; the versions go with the proof."""
    serve(by_coap, fake)

    log = run(by_coap, 0)

    assert events(log) == ["START", "STOP", "NO_COMMANDS"]
    assert exchanges(log) == [("p/auth-jwt", 201), ("p/cmd", 205)]
    targets = [entry["target"] for entry in log if "exchange" in entry]
    assert targets[0] == "p/auth-jwt?mver=nrf91x1_2.0.2&cver=3.1.0"
    assert targets[1] == "p/cmd?after=&rxMaxSize=2304&txMaxSize=2304&limit=10"
    assert b"<inf> nrf_provisioning_coap: GET p/cmd status 205" in by_coap.host.sent("trace")


def test_nobody_claimed_it(by_coap: Any, fake: NrfCloudFake) -> None:
    """4.01 means that nobody has claimed the board; its event carries a fresh token."""
    serve(by_coap, fake)
    fake.provisioning._claims.clear()

    log = run(by_coap, -2)

    assert exchanges(log) == [("p/auth-jwt", 401)]
    assert log[-3]["problem"] == "the service answered 4.01"
    assert [entry["at"] for entry in log if "at" in entry][-1] == "AT%ATTESTTOKEN"


def test_nowhere_to_go(board: Any) -> None:
    """Without an address for CoAP there is no service, wherever that of HTTP is."""
    board.call("set_service", url="http://127.0.0.1:9")
    board.call("configure", transport="coap")

    log = run(board, -3)

    assert log[-3]["problem"] == "connection refused: no service address is set"


def test_service_that_cannot_suspend(board: Any) -> None:
    """4.04 to the message before the pause ends the connection: the next exchange begins with a new proof."""
    fake = NrfCloudFake(choices=CONTRARIAN)
    device = serve(board, fake)
    with UdpServer(fake.datagrams) as server:
        board.call("set_service", url=f"coap://127.0.0.1:{server.port}")
        board.call("configure", transport="coap")
        configured(device)
        log = run(board, 0)

    assert exchanges(log) == [
        ("p/auth-jwt", 201),
        ("p/cmd", 205),
        (".dtls/suspend", 404),
        ("p/auth-jwt", 201),
        ("p/rsp", 204),
        ("p/cmd", 205),
    ]
    assert board.call("settings")["a"] == "1"


def configured(device: Any) -> Any:
    """Add a command to the queue of a claim."""
    return device.queue.add(CommandType.CONFIG, {"properties": {"a": "1"}}, description="", created_at="now")


def test_report_is_lost(by_coap: Any, fake: NrfCloudFake) -> None:
    """A report that nobody acknowledges is given up; the run goes on, and is past the command."""
    device = serve(by_coap, fake)
    command = configured(device)
    by_coap.call("configure", coap_timeout=2.0)  # the other exchanges have to be answered within it
    by_coap.call("disturb_datagrams", request="POST p/rsp", how="lose", way="sent", times=9)

    log = run(by_coap, 0)

    assert exchanges(log)[-2:] == [("p/rsp", None), ("p/cmd", 205)]
    assert [entry["problem"] for entry in log if "problem" in entry] == [
        "the report was not taken: timed out"
    ]
    assert command.status is CommandStatus.IN_PROGRESS


def test_report_is_refused(by_coap: Any, fake: NrfCloudFake) -> None:
    """Only 2.04 means that a report was taken."""
    device = serve(by_coap, fake)
    configured(device)
    fake.provisioning.faults.order(
        Fault(
            place=FaultPlace.REPORT,
            kind=FaultKind.STATUS,
            device=device.id,
            owner=None,
            orderer="",
            status=201,
            seconds=0.0,
            left=1,
        )
    )

    log = run(by_coap, 0)

    assert [entry["problem"] for entry in log if "problem" in entry] == ["the report was answered 2.01"]


def test_connection_is_not_kept(by_coap: Any, fake: NrfCloudFake) -> None:
    """Firmware that keeps no connection says nothing before its pause, and proves anew who it is."""
    configured(serve(by_coap, fake))
    by_coap.call("configure", coap_keep_open=False)

    assert [path for path, _status in exchanges(run(by_coap, 0))] == [
        "p/auth-jwt",
        "p/cmd",
        "p/auth-jwt",
        "p/rsp",
        "p/cmd",
    ]


def test_power_goes_while_it_waits(by_coap: Any) -> None:
    """Without power a board waits for no answer, and says nothing more."""
    by_coap.call("configure", coap_timeout=60.0, coap_ack_timeout=60.0)
    by_coap.call("disturb_datagrams", request="POST p/auth", how="lose", way="sent")
    by_coap.call("agent_log", clear=True)
    by_coap.type(b"AT#XNRFPROV\r")
    by_coap.host.wait_said(b"event START", role="trace")

    by_coap.board.power_off()

    assert not [event for event in events(by_coap.call("agent_log")) if event != "START"]


@pytest.mark.parametrize(
    "url", ["coap://127.0.0.1", "coap://:5683", "coaps://127.0.0.1:5684", "coap://127.0.0.1:5683/p", "x"]
)
def test_what_is_no_address(board: Any, url: str) -> None:
    """An address by CoAP has a host and a port, and no DTLS."""
    with pytest.raises(ValueError, match="expected http://host:port, https://host:port or coap://host:port"):
        board.call("set_service", url=url)


def test_addresses_stay(board: Any) -> None:
    """The variants have addresses of their own; the end of a test leaves both, and builds for HTTP again."""
    board.call("set_service", url="http://127.0.0.1:1")
    board.call("set_service", url="coap://127.0.0.1:2")
    board.call("configure", transport="coap", coap_block_size=64)
    board.call("clear_faults")

    built = board.call("configuration")
    assert (built["service"], built["coap_service"]) == ("http://127.0.0.1:1", "coap://127.0.0.1:2")
    assert (built["transport"], built["coap_block_size"]) == ("http", 1024)

    board.call("set_service", url=None)
    built = board.call("configuration")
    assert (built["service"], built["coap_service"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"transport": "mqtt"}, "transport is 'mqtt'; expected 'http' or 'coap'"),
        ({"coap_block_size": 100}, "coap_block_size is 100; expected 16 or 32"),
        ({"coap_service": "coap://127.0.0.1:1"}, "unknown option 'coap_service'"),
    ],
)
def test_what_cannot_be_built(board: Any, options: dict[str, Any], why: str) -> None:
    """What the firmware cannot be is told from what it can."""
    with pytest.raises(ValueError, match=why):
        board.call("configure", **options)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"how": "eat"}, "how is 'eat'; expected one of 'double', 'lose'"),
        ({"way": "up"}, "way is 'up'; expected one of 'received', 'sent'"),
        ({"times": 0}, "times is 0; expected a count from 1"),
        ({"times": True}, "times is True"),
    ],
)
def test_what_cannot_befall_datagrams(board: Any, changes: dict[str, Any], why: str) -> None:
    """An order that means nothing is refused."""
    order = {"request": "GET", "how": "lose", "way": "sent", **changes}
    with pytest.raises(ValueError, match=why):
        board.call("disturb_datagrams", **order)
