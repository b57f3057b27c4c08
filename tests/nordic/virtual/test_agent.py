"""The agent on the board against a service of literal answers (nrfcloud fact sheet, sections 3.1 to 3.9)."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.nordic.virtual.agent_runs import ID, commands, events, run

if TYPE_CHECKING:
    from collections.abc import Callable

# [[ID.1, 2]] of section 3.5, A, and what acknowledges it, E.
FINISHED = bytes.fromhex(
    "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3102"
)
FINISHED_ACK = "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e311866"


def test_trace_of_the_fact_sheet(board: Any, service: Any, provision: Any, unpack: Any) -> None:
    """The AT trace of section 3.6 for a CSR and ``finished``, and the report, to the word."""
    service.commands(
        [f"{ID}.1.s", 0, "%CMNG", "3,5,2", [513]],
        [f"{ID}.1", 0, "%KEYGEN", '5,2,0,"CN=x","101010000"', []],
        [f"{ID}.2", 2],
    )
    service.status(200)

    log = provision()

    assert commands(log) == [
        "AT%SHORTSWVER",
        "AT%CCLK?",
        'AT%JWT=0,300,"",""',
        "AT+CMEE?",
        "AT+CMEE=1",
        "AT+CFUN?",
        "AT+CFUN=4",
        "AT%CMNG=3,5,2",
        "AT+CFUN?",
        'AT%KEYGEN=5,2,0,"CN=x","101010000"',
        "AT+CMEE=0",
        "AT+CFUN=1",
        "AT%CCLK?",
        'AT%JWT=0,300,"",""',
    ]
    assert events(log) == ["START", "NEED_LTE_DEACTIVATED", "NEED_LTE_ACTIVATED", "STOP", "DONE"]
    [[deleted, generated, finished]] = service.reports()
    assert deleted == [f"{ID}.1.s", 100, "+CME ERROR: 513\r\n"]
    assert generated[:2] == [f"{ID}.1", 100]
    assert re.fullmatch(r'%KEYGEN: "[\w-]+\.[\w-]+"\r\nOK\r\n', generated[2])
    assert finished == [f"{ID}.2", 102]
    assert "%CMNG: 5,2," in board.at("AT%CMNG=1,5")


def test_requests_to_the_byte(board: Any, service: Any, provision: Any, unpack: Any) -> None:
    """Request lines and headers of section 3.2 in the library's order; the JWT is fresh each time."""
    service.status(200, FINISHED)
    service.status(200)

    provision()

    [(fetch, nothing), (report, body)] = service.requests
    jwts = re.findall(rb"Authorization: Bearer (\S+)\r\n", fetch + report)
    host = service.url.removeprefix("http://")
    query = "after=&rxMaxSize=2304&txMaxSize=2304&mver=nrf91x1_2.0.2&cver=3.1.0&limit=10"
    assert fetch.decode() == (
        f"GET /v1/provisioning/commands?{query} HTTP/1.1\r\nHost: {host}\r\nAccept: application/cbor\r\n"
        f"Authorization: Bearer {jwts[0].decode()}\r\nContent-Type: */*\r\n"
        "User-Agent: Zephyr/4.1 (v4.1.99-ncs1 nrf9151dk)\r\nConnection: close\r\n\r\n"
    )
    assert report.decode() == (
        f"POST /v1/provisioning/response HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/cbor\r\n"
        f"Accept: */*\r\nAuthorization: Bearer {jwts[1].decode()}\r\n"
        "User-Agent: Zephyr/4.1 (v4.1.99-ncs1 nrf9151dk)\r\nConnection: close\r\nContent-Length: 44\r\n\r\n"
    )
    assert (nothing, body.hex()) == (b"", FINISHED_ACK)
    assert jwts[0] != jwts[1]
    claims = json.loads(unpack(jwts[0].decode().split(".")[1]))
    assert claims["exp"] - claims["iat"] == 300
    assert claims["iss"] == f"nRF9151.{board.board.describe()['uuid']}"


def test_no_commands(service: Any, provision: Any) -> None:
    """204 is NO_COMMANDS, announced like success; nothing is reported."""
    log = provision(0)

    assert events(log) == ["START", "STOP", "NO_COMMANDS"]
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "event", "number"),
    [
        (401, "FAILED_DEVICE_NOT_CLAIMED", -2),
        (403, "FAILED", -1),
        (400, "FAILED", -1),
        (404, "FAILED", -1),
        (415, "FAILED", -1),
        (500, "FAILED", -1),
        (503, "FAILED", -1),
    ],
)
def test_refusals(board: Any, service: Any, provision: Any, status: int, event: str, number: int) -> None:
    """Each status of section 3.1 ends the run with its event; the trace endpoint names the status."""
    service.status(status)

    log = provision(number)

    assert events(log) == ["START", "STOP", event]
    assert [entry["status"] for entry in log if "exchange" in entry] == [status]
    assert ("AT%ATTESTTOKEN" in commands(log)) is (status == 401)
    trace = board.host.sent("trace").decode()
    assert f"<inf> nrf_provisioning_http: GET /v1/provisioning/commands status {status}\r\n" in trace
    assert trace.endswith(f"<inf> nrf_provisioning: event {event}\r\n")


def test_nobody_listens(board: Any) -> None:
    """A refused connection counts as a wrong root CA, and so does an address that nobody set."""
    assert events(run(board, -3)) == ["START", "STOP", "FAILED_WRONG_ROOT_CA"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    board.call("set_service", url=f"http://127.0.0.1:{port}")
    assert events(run(board, -3)) == ["START", "STOP", "FAILED_WRONG_ROOT_CA"]
    board.call("set_service", url=None)
    assert events(run(board, -3)) == ["START", "STOP", "FAILED_WRONG_ROOT_CA"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2b\r\n" + FINISHED + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n\x81\x9f",
        b"HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n\x80",
    ],
    ids=["hangs up", "no HTTP", "cut short", "chunked", "no commands", "empty array"],
)
def test_unreadable_answers(service: Any, provision: Any, answer: bytes | None) -> None:
    """What cannot be read ends the run; nothing is executed and nothing is reported."""
    service.raw(answer)

    log = provision(-1)

    assert events(log)[-1] == "FAILED"
    assert len(service.requests) == 1
    assert "AT+CMEE?" not in commands(log)


def test_service_that_never_answers(board: Any, service: Any, provision: Any) -> None:
    """An exchange has its own time limit."""
    board.call("configure", http_timeout=0.05)
    service.hold.clear()

    log = provision(-1)

    assert {"problem": "timed out"} in log


def test_too_many_commands(service: Any, provision: Any) -> None:
    """More commands than the record limit is an event of its own."""
    service.commands(*([f"{ID}.{number}", 2] for number in range(11)))

    assert events(provision(-5)) == ["START", "STOP", "FAILED_TOO_MANY_COMMANDS"]


def answer_of(size: int) -> bytes:
    """Return an answer of a size, headers included, that holds one ``finished``."""
    head = b"HTTP/1.1 200 X\r\nX: \r\n\r\n"
    return head.replace(b"X: ", b"X: " + b"x" * (size - len(head) - len(FINISHED))) + FINISHED


@pytest.mark.parametrize(
    ("size", "event", "number"), [(1023, "DONE", 0), (1024, "FAILED", -1), (5000, "FAILED", -1)]
)
def test_receive_buffer(board: Any, service: Any, provision: Any, size: int, event: str, number: int) -> None:
    """Status line, headers and body together must be smaller than ``rxMaxSize``."""
    board.call("configure", rx_size=1024)
    service.raw(answer_of(size))
    service.status(200)

    log = provision(number)

    assert b"rxMaxSize=1024&" in service.requests[0][0]
    assert events(log)[-1] == event
    assert any("RX buffer too small" in entry.get("problem", "") for entry in log) is (number < 0)


def test_buffers_of_kinds(make_board: Callable[..., Any], service: Any) -> None:
    """Kinds differ in their buffers, and options overrule them."""
    for kind, options, sizes in (
        ("nrf9160dk-virtual", {}, b"rxMaxSize=1024&txMaxSize=2048&mver=nrf9160_1.3.7&"),
        ("thingy91x-virtual", {}, b"rxMaxSize=4096&txMaxSize=4096&mver=nrf91x1_2.0.2&"),
        ("thingy91x-virtual", {"rx_size": 3000, "limit": 5}, b"rxMaxSize=3000&txMaxSize=4096&"),
    ):
        board = make_board(kind, **options)
        board.call("set_service", url=service.url)
        run(board, 0)
        assert sizes in service.requests[-1][0]
    assert b"&limit=5 " in service.requests[-1][0]


def test_jwt_that_the_modem_does_not_make(board: Any, service: Any, provision: Any) -> None:
    """No JWT, no request."""
    board.call("fail_next", command="AT%JWT", outcome=525)

    assert events(provision(-1))[-1] == "FAILED"
    assert service.requests == []


def test_forged_jwt(
    board: Any, service: Any, provision: Any, unpack: Any, openssl: Any, tmp_path: Any
) -> None:
    """A board told to forge signs one JWT with a foreign key, and its own again afterwards."""
    board.call("forge", what="jwt-signature")
    identity = openssl.point_to_der(bytes.fromhex(board.call("factory_record")["public_key"]))

    provision(0)
    provision(0)

    verdicts = []
    for head, _body in service.requests:
        match = re.search(rb"Bearer (\S+)", head)
        assert match is not None
        signed, _, signature = match[1].decode().rpartition(".")
        verdicts.append(openssl.verifies(tmp_path, identity, unpack(signature), signed.encode()))
    assert verdicts == [False, True]


def test_secrets_stay_out_of_log_and_trace(board: Any, service: Any, provision: Any) -> None:
    """Neither a pre-shared key nor a private key nor a JWT is in what the board tells of its agent."""
    service.commands(
        [f"{ID}.1", 0, "%CMNG", '0,5,3,"c0ffee11"', []],
        [f"{ID}.2", 0, "%CMNG", '0,5,2,"-----BEGIN\nEC PRIVATE KEY c0ffee22"', []],
        [f"{ID}.3", 0, "%CMNG", '0,5,4,"public identity"', []],
    )
    service.status(200)

    log = provision(0)

    told = json.dumps(log) + board.host.sent("trace").decode()
    assert "c0ffee" not in told
    assert "eyJ" not in told
    assert "public identity" in told
    digest = hashlib.sha256(b"c0ffee11").hexdigest().upper()
    assert board.at("AT%CMNG=1,5,3") == f'%CMNG: 5,3,"{digest}"\r\nOK\r\n'
