"""The agent on the board against a service of literal answers (nrfcloud fact sheet, sections 3.1 to 3.9)."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"
# [[ID.1, 2]] of section 3.5, A, and what acknowledges it, E.
FINISHED = bytes.fromhex(
    "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3102"
)
FINISHED_ACK = "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e311866"


@pytest.fixture
def provision(board: Any, service: Any) -> Callable[..., list[dict[str, Any]]]:
    """Let the board provision until a notification comes, and return what its agent did."""
    board.call("set_service", url=service.url)
    return lambda wanted=0: run(board, wanted)


def run(board: Any, wanted: int) -> list[dict[str, Any]]:
    """Provision once."""
    board.call("agent_log", clear=True)
    start = len(board.host.sent("console"))
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_sent("console", f"\r\n#XNRFPROV: {wanted}\r\n".encode(), start=start)
    log: list[dict[str, Any]] = board.call("agent_log")
    return log


def events(log: list[dict[str, Any]]) -> list[str]:
    """Return the events of a log."""
    return [entry["event"] for entry in log if "event" in entry]


def commands(log: list[dict[str, Any]]) -> list[str]:
    """Return the AT commands of a log."""
    return [entry["at"] for entry in log if "at" in entry]


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


def test_stops_at_the_first_error(board: Any, service: Any, provision: Any) -> None:
    """What is behind a failing command is neither executed nor reported; ``finished`` gets no answer."""
    service.commands(
        [f"{ID}.1", 2],
        [f"{ID}.2", 0, "%CMNG", '0,5,4,"me"', []],
        [f"{ID}.3", 0, "%CMNG", '0,5,0,"no certificate"', [513]],
        [f"{ID}.4", 0, "%CMNG", '0,6,4,"never"', []],
        [f"{ID}.5", 1, {"a": "never"}],
    )
    service.status(200)

    log = provision(0)

    assert service.reports() == [
        [[f"{ID}.2", 100, "OK\r\n"], [f"{ID}.3", 99, 527, "+CME ERROR: 527\r\n"]],
    ]
    assert board.at("AT%CMNG=1,6") == "OK\r\n"
    assert board.at("AT%CMNG=1,5").startswith("%CMNG: 5,4,")
    assert board.call("settings") == {}
    assert events(log)[-1] == "NO_COMMANDS"
    assert f"after={ID}.3&".encode() in service.requests[2][0]


def test_finished_is_acknowledged_last(service: Any, provision: Any) -> None:
    """Wherever ``finished`` stands, its acknowledgement comes at the end."""
    service.commands([f"{ID}.1", 2], [f"{ID}.2", 1, {"a/b": "1", "c": "x"}])
    service.status(200)

    log = provision(0)

    assert service.reports() == [[[f"{ID}.2", 101], [f"{ID}.1", 102]]]
    assert events(log)[-1] == "DONE"


def test_configuration_needs_no_modem(board: Any, service: Any, provision: Any) -> None:
    """Pairs are stored without taking LTE down, and they stay without power."""
    service.commands([f"{ID}.3", 1, {"a/b": "1", "c": "x"}])
    service.status(200)

    log = provision(0)

    assert service.reports() == [[[f"{ID}.3", 101]]]
    assert "AT+CFUN=4" not in commands(log)
    board.power_off()
    board.power_on()
    assert board.call("settings") == {"a/b": "1", "c": "x"}


@pytest.mark.parametrize("pair", [{"": "x"}, {"k" * 65: "x"}, {"k": "v" * 257}])
def test_configuration_that_cannot_be_stored(
    board: Any, service: Any, provision: Any, pair: dict[str, str]
) -> None:
    """Error -22 as 32 bits without sign, and the 0-based number of the pair; earlier pairs are stored."""
    service.commands([f"{ID}.3", 1, {"good": "1", **pair}])
    service.status(200)

    provision(0)

    [[[name, kind, number, text]]] = service.reports()
    assert (name, kind, number) == (f"{ID}.3", 99, 4294967274)
    assert "[1](0-indexed)" in text
    assert board.call("settings") == {"good": "1"}


def test_plain_error_looks_like_success(board: Any, service: Any, provision: Any) -> None:
    """A plain ERROR is reported as 100 with its text, and the batch goes on."""
    service.commands([f"{ID}.1", 0, "%NOSUCH", "1", []], [f"{ID}.2", 2])
    service.status(200)

    provision(0)

    assert service.reports() == [[[f"{ID}.1", 100, "ERROR\r\n"], [f"{ID}.2", 102]]]


def test_silent_modem(board: Any, service: Any, provision: Any) -> None:
    """A modem that does not answer is failure 99 without a number."""
    board.call("configure", at_timeout=0.5)
    board.call("fail_next", command="AT%CMNG=3,5", outcome="silent")
    service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", [513]], [f"{ID}.2", 2])
    service.status(200)

    provision(0)

    assert service.reports() == [[[f"{ID}.1", 99, 0, ""]]]


def test_other_error_than_the_ignored_ones(board: Any, service: Any, provision: Any) -> None:
    """Only the codes in the list are ignored."""
    board.call("fail_next", command="AT%CMNG=3,5", outcome=515)
    service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", [513, 514]])
    service.status(200)

    provision(0)

    assert service.reports() == [[[f"{ID}.1", 99, 515, "+CME ERROR: 515\r\n"]]]


def test_error_numbers_that_were_on_stay_on(board: Any, service: Any, provision: Any) -> None:
    """CMEE is put back as it was found, functional mode goes online."""
    board.at("AT+CMEE=1")
    service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", [513]], [f"{ID}.2", 2])
    service.status(200)

    log = provision(0)

    assert "AT+CMEE=0" not in commands(log)
    assert board.at("AT+CMEE?") == "+CMEE: 1\r\nOK\r\n"
    assert board.at("AT+CFUN?") == "+CFUN: 1\r\nOK\r\n"


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 415, 500])
def test_report_that_is_not_taken(service: Any, provision: Any, status: int) -> None:
    """For any answer but 200 the library goes on with the next fetch and does not count as finished."""
    service.status(200, FINISHED)
    service.status(status)

    log = provision(0)

    assert events(log)[-1] == "NO_COMMANDS"
    assert f"after={ID}.1&".encode() in service.requests[2][0]


def test_report_into_the_void(service: Any, provision: Any) -> None:
    """A report without an answer is lost the same way."""
    service.status(200, FINISHED)
    service.raw(None)

    log = provision(0)

    assert events(log)[-1] == "NO_COMMANDS"
    assert [entry["status"] for entry in log if "exchange" in entry] == [200, None, 204]


def test_service_that_serves_the_same_for_ever(board: Any, service: Any, provision: Any) -> None:
    """Our board gives up where real firmware would go on for ever."""
    board.call("configure", most_rounds=3)
    for _round in range(3):
        service.status(200, FINISHED)
        service.status(500)

    log = provision(-1)

    assert len(service.requests) == 6
    assert {"problem": "gave up after 3 fetches"} in log


def test_after_is_volatile(board: Any, service: Any, provision: Any) -> None:
    """``after`` goes on from run to run and is empty again after a power cycle."""
    service.commands([f"{ID}.1", 1, {}])
    service.status(200)
    provision(0)
    provision(0)
    assert f"after={ID}.1&".encode() in service.requests[-1][0]

    board.power_off()
    board.power_on()
    provision(0)

    assert b"after=&" in service.requests[-1][0]


def test_key_whose_answer_is_too_long(board: Any, service: Any, provision: Any) -> None:
    """Beyond 1024 bytes the new key is deleted and the command repeated with a larger buffer."""
    attributes = ",".join(f"OU={letter * 60}" for letter in "abcdefghijk")
    service.commands([f"{ID}.1", 0, "%KEYGEN", f'5,2,0,"{attributes}"', []])
    service.status(200)

    log = provision(0)

    tail = commands(log)[commands(log).index("AT+CFUN=4") + 1 :][:3]
    assert tail == [f'AT%KEYGEN=5,2,0,"{attributes}"', "AT%CMNG=3,5,2", f'AT%KEYGEN=5,2,0,"{attributes}"']
    [[[_id, kind, text]]] = service.reports()
    assert kind == 100
    assert 1024 < len(text) < 2048
    digest = re.search(r'"(.*)"', board.at("AT%CMNG=1,5"))
    assert digest is not None


def test_answer_that_no_buffer_holds(board: Any, service: Any, provision: Any) -> None:
    """At 4096 bytes it ends: failure without number, and no key is left."""
    board.call("configure", rx_size=8000, tx_size=8000)
    attributes = ",".join("OU=" + "x" * 60 for _index in range(60))
    service.commands([f"{ID}.1", 0, "%KEYGEN", f'5,2,0,"{attributes}"', []])
    service.status(200)

    log = provision(0)

    assert service.reports() == [[[f"{ID}.1", 99, 0, ""]]]
    assert commands(log).count("AT%CMNG=3,5,2") == 3
    assert board.at("AT%CMNG=1,5") == "OK\r\n"


def test_list_that_no_buffer_holds(board: Any, service: Any, provision: Any) -> None:
    """Any other answer is bounded as well."""
    board.at("AT+CFUN=4")
    for tag in range(60):
        board.at(f'AT%CMNG=0,{tag},4,"me"')
    board.at("AT+CFUN=1")
    service.commands([f"{ID}.1", 0, "%CMNG", "1", []])
    service.status(200)

    provision(0)

    assert service.reports() == [[[f"{ID}.1", 99, 0, ""]]]


def test_at_command_that_does_not_fit(board: Any, service: Any, provision: Any) -> None:
    """The library crashes on it; our board ends with FATAL_ERROR before executing anything."""
    service.commands([f"{ID}.1", 0, "%CMNG", '0,5,4,"' + "x" * 2100 + '"', []])
    board.call("configure", tx_size=1024, rx_size=4096)

    log = provision(-6)

    assert events(log) == ["START", "STOP", "FATAL_ERROR"]
    assert len(service.requests) == 1
    assert board.at("AT%CMNG=1,5") == "OK\r\n"


def test_report_that_does_not_fit(board: Any, service: Any, provision: Any) -> None:
    """A report larger than the transmit buffer is not sent."""
    board.call("configure", tx_size=1024, rx_size=4096, at_size=1024)
    board.at("AT+CFUN=4")
    for tag in range(20):
        board.at(f'AT%CMNG=0,{tag},4,"me"')
    board.at("AT+CFUN=1")
    service.commands([f"{ID}.1", 0, "%CMNG", "1", []])

    log = provision(-1)

    assert len(service.requests) == 1
    assert any("does not fit the TX buffer" in entry.get("problem", "") for entry in log)


def test_non_canonical_build(board: Any, service: Any, provision: Any) -> None:
    """It takes indefinite arrays and sends them (section 3.5, E)."""
    board.call("configure", canonical=False)
    indefinite = bytes.fromhex(f"9f9f7826{(ID + '.1').encode().hex()}02ffff")
    service.status(200, indefinite)
    service.status(200)

    provision(0)

    assert service.requests[1][1].hex() == (
        "9f9f782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e311866ffff"
    )


def test_no_time(make_board: Callable[..., Any], service: Any) -> None:
    """Without time there is no connection and an event of its own."""
    board = make_board(boot_mode=4, time_wait=0.1)
    board.call("network_time", on=False)
    board.call("set_service", url=service.url)
    board.at("AT+CFUN=1")

    assert events(run(board, -4)) == ["START", "STOP", "FAILED_NO_VALID_DATETIME"]
    assert service.requests == []


def test_time_that_comes_late(make_board: Callable[..., Any], service: Any) -> None:
    """The agent waits for the time and goes on when it comes."""
    board = make_board(boot_mode=4)
    board.call("network_time", on=False)
    board.call("set_service", url=service.url)
    board.at("AT+CFUN=1")
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_sent("trace", b"event START")

    board.call("set_clock", seconds=1700000000)

    board.host.wait_sent("console", b"#XNRFPROV: 0\r\n")
    assert len(service.requests) == 1


def test_no_network(make_board: Callable[..., Any], service: Any) -> None:
    """A modem that is offline when the run begins is waited for."""
    board = make_board(boot_mode=4)
    board.call("set_service", url=service.url)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_sent("trace", b"event START")
    assert service.requests == []

    board.at("AT+CFUN=1")

    board.host.wait_sent("console", b"#XNRFPROV: 0\r\n")


def test_network_that_never_comes(make_board: Callable[..., Any], service: Any) -> None:
    """Without a network there is no time, and so the run ends with that."""
    board = make_board(boot_mode=4, time_wait=0.05)
    board.call("set_service", url=service.url)

    run(board, -4)

    assert service.requests == []


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


def test_console_stays_live(board: Any, service: Any, provision: Any) -> None:
    """While an exchange is under way the modem answers, and a second trigger runs afterwards."""
    service.hold.clear()
    board.type(b"AT#XNRFPROV\r")
    service.wait_requests(1)

    board.type(b"AT+CGMM\rAT#XNRFPROV\r")
    board.host.wait_sent("console", b"\nnRF9151-LACA\r\nOK\r\n\nOK\r\n")
    service.hold.set()

    service.wait_requests(2)
    sent = board.host.wait_sent("console", b"\r\n#XNRFPROV: 0\r\n\r\n#XNRFPROV: 0\r\n")
    assert sent.count(b"#XNRFPROV: ") == 2


def test_power_cut_in_mid_exchange(board: Any, service: Any, provision: Any) -> None:
    """The run ends at once without a word; after power-on the board provisions as if nothing had been."""
    service.hold.clear()
    board.type(b"AT#XNRFPROV\r")
    service.wait_requests(1)

    board.power_off()
    board.power_on()
    service.hold.set()
    provision(0)

    assert board.host.sent("console").count(b"#XNRFPROV: ") == 1


def test_power_cut_while_waiting(make_board: Callable[..., Any], service: Any) -> None:
    """A run that waits for the network ends with the power too."""
    board = make_board(boot_mode=4)
    board.call("set_service", url=service.url)
    board.call("provision")
    board.host.wait_sent("trace", b"event START")

    board.power_off()

    assert b"#XNRFPROV" not in board.host.sent("console")


def test_reset_in_mid_batch_loses_the_report(board: Any, service: Any, provision: Any) -> None:
    """What was executed stays, the report is lost, and the next fetch asks from the start."""
    service.commands([f"{ID}.1", 0, "%CMNG", '0,5,4,"me"', []])
    service.hold.clear()
    board.type(b"AT#XNRFPROV\r")
    service.wait_requests(1)
    service.hold.set()
    service.hold.clear()
    service.wait_requests(2)

    board.host.on_loop(board.board.reset)
    service.hold.set()
    provision(0)

    assert board.at("AT%CMNG=1,5").startswith("%CMNG: 5,4,")
    assert b"after=&" in service.requests[-1][0]


def test_host_that_manages_lte(board: Any, service: Any, provision: Any) -> None:
    """As in the Serial Modem, the host is asked to take LTE down and up, and the agent waits for it."""
    board.call("configure", lte_control="host")
    service.commands([f"{ID}.1", 0, "%CMNG", '0,5,4,"me"', []], [f"{ID}.2", 2])
    service.status(200)

    board.type(b"AT#XNRFPROV\r")
    board.host.wait_sent("console", b"\r\n#XNRFPROV: 1\r\n")
    assert board.at("AT+CFUN?") == "+CFUN: 1\r\nOK\r\n"
    board.type(b"AT+CFUN=4\r")
    board.host.wait_sent("console", b"\r\n#XNRFPROV: 2\r\n")
    board.type(b"AT+CFUN=1\r")
    board.host.wait_sent("console", b"\r\n#XNRFPROV: 0\r\n")

    assert service.reports() == [[[f"{ID}.1", 100, "OK\r\n"], [f"{ID}.2", 102]]]


@pytest.mark.parametrize("answers", [b"", b"AT+CFUN=4\r"], ids=["not offline", "not online"])
def test_host_that_does_not_obey(board: Any, service: Any, provision: Any, answers: bytes) -> None:
    """The agent gives up after a while."""
    board.call("configure", lte_control="host", state_wait=0.1)
    service.commands([f"{ID}.1", 0, "%CMNG", '0,5,4,"me"', []])
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_sent("console", b"#XNRFPROV: 1\r\n")
    board.type(answers)

    board.host.wait_sent("console", b"#XNRFPROV: -1\r\n")

    assert service.reports() == []


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


def test_defect_of_the_agent_itself(board: Any, provision: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies of a defect ends with FATAL_ERROR, and the bench gets the exception for its log."""

    def die(*_arguments: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("harness_nordic.virtual.session.Session._rounds", die)

    log = provision(-6)

    assert events(log) == ["START", "STOP", "FATAL_ERROR"]
    assert [type(failure) for failure in board.host.failures] == [ZeroDivisionError]
    board.host.failures.clear()


def test_link_that_is_torn_down_makes_no_exchange(service: Any) -> None:
    """A run that lost its power connects no more."""
    from harness_nordic.virtual.exchange import ExchangeFailed, ServiceLink

    link = ServiceLink(service.url, rx_size=1024, timeout=5, trusted=lambda: "", answered=lambda _what: None)
    link.tear_down()

    with pytest.raises(ExchangeFailed, match="torn down"):
        link.exchange("GET", "/", [])
    assert service.requests == []


def test_batch_that_is_offline_already(board: Any, service: Any, provision: Any) -> None:
    """A batch of two fetches goes offline twice; nothing is asked for when the modem is offline already."""
    board.call("configure", lte_control="host")
    service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", [513]], [f"{ID}.2", 0, "%CMNG", "3,5,3", [513]])
    service.status(200)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_sent("console", b"#XNRFPROV: 1\r\n")
    board.type(b"AT+CFUN=4\r")
    board.host.wait_sent("console", b"#XNRFPROV: 2\r\n")
    board.type(b"AT+CFUN=1\r")
    board.host.wait_sent("console", b"#XNRFPROV: 0\r\n")

    assert events(board.call("agent_log")).count("NEED_LTE_DEACTIVATED") == 1
    assert board.host.sent("console").count(b"#XNRFPROV: 1\r\n") == 1


def test_trigger_by_the_firmware(board: Any, service: Any) -> None:
    """A timer of the firmware starts the same run as the command does."""
    board.call("set_service", url=service.url)

    board.call("provision")

    board.host.wait_sent("console", b"\r\n#XNRFPROV: 0\r\n")
    assert len(service.requests) == 1
