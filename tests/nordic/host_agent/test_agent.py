"""The agent on the host, between a modem of literal answers and a service of literal answers."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BackendUnreachable, ConsoleTimeout, UsageError
from harness_nordic.host_agent.agent import HostAgent
from harness_nordic.host_agent.link import ServiceLink
from harness_nordic.host_agent.options import HostAgentOptions

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"
SECONDS = 20.0
OK = "OK\r\n"
FETCH_TRACE = ["AT%SHORTSWVER", "AT%CCLK?", 'AT%JWT=0,300,"",""']
REPORT_TRACE = FETCH_TRACE[1:]


@pytest.fixture
def make_agent(modem: Any, literal_service: Any) -> Callable[..., HostAgent]:
    """Make an agent between the two, with options of its own."""

    def make(clock: datetime | None = None, **options: Any) -> HostAgent:
        now = clock or datetime(2026, 11, 21, 7, 0, 0, tzinfo=UTC)
        link = ServiceLink(literal_service.url)
        return HostAgent(modem, link, HostAgentOptions(**options), clock=lambda: now)

    return make


@pytest.fixture
def agent(make_agent: Callable[..., HostAgent]) -> HostAgent:
    """An agent with usual options."""
    return make_agent()


def test_trace_of_a_signing_request(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """The AT commands are those of the library, in its order; what the modem was is put back at the end."""
    literal_service.commands(
        [f"{ID}.1.s", 0, "%CMNG", "3,5,2", [513]],
        [f"{ID}.1", 0, "%KEYGEN", '5,2,0,"CN=x","101010000"', []],
        [f"{ID}.2", 2],
    )
    literal_service.status(200)
    keygen = 'AT%KEYGEN=5,2,0,"CN=x","101010000"'
    modem.answers["AT%CMNG=3,5,2"] = "+CME ERROR: 513\r\n"
    modem.answers[keygen] = '%KEYGEN: "a.b"\r\nOK\r\n'

    outcome = agent.run(SECONDS)

    assert modem.asked == [
        *FETCH_TRACE,
        *("AT+CMEE?", "AT+CMEE=1", "AT+CFUN?", "AT+CFUN=4", "AT%CMNG=3,5,2", keygen),
        *REPORT_TRACE,
        *("AT+CMEE=0", "AT+CFUN=1"),
    ]
    assert (outcome.finished, outcome.event, outcome.refused_with) == (True, "DONE", None)
    assert literal_service.reports() == [
        [
            [f"{ID}.1.s", 100, "+CME ERROR: 513\r\n"],
            [f"{ID}.1", 100, '%KEYGEN: "a.b"\r\nOK\r\n'],
            [f"{ID}.2", 102],
        ]
    ]
    assert modem.timeouts[keygen] > modem.timeouts["AT%CMNG=3,5,2"]


def test_requests(make_agent: Callable[..., HostAgent], literal_service: Any) -> None:
    """Requests have the documented query and headers; after is what was processed last."""
    agent = make_agent(rx_size=2304, tx_size=2048, limit=7)
    literal_service.commands([f"{ID}.1", 1, {"a/b": "1"}])
    literal_service.status(200)

    assert agent.run(SECONDS).event == "NO_COMMANDS"

    (first, _), (report, _), (second, _) = literal_service.requests
    query = b"&rxMaxSize=2304&txMaxSize=2048&mver=nrf91x1_2.0.2&cver=3.1.0&limit=7 HTTP/1.1\r\n"
    assert first.startswith(b"GET /v1/provisioning/commands?after=" + query)
    assert second.startswith(b"GET /v1/provisioning/commands?after=" + f"{ID}.1".encode() + query)
    assert report.startswith(b"POST /v1/provisioning/response HTTP/1.1\r\n")
    for head, more in ((first, b"accept: application/cbor"), (report, b"content-type: application/cbor")):
        lowered = head.lower()
        assert more in lowered
        assert b"authorization: bearer head.body.signature" in lowered
        assert b"connection: close" in lowered
    assert agent.settings == {"a/b": "1"}
    assert agent.after == f"{ID}.1"


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (401, "FAILED_DEVICE_NOT_CLAIMED"),
        (403, "FAILED"),
        (400, "FAILED"),
        (404, "FAILED"),
        (415, "FAILED"),
        (500, "FAILED"),
        (503, "FAILED"),
        (302, "FAILED"),
    ],
)
def test_refusals(agent: HostAgent, modem: Any, literal_service: Any, status: int, event: str) -> None:
    """A refusal ends the run with the library's event; the modem was not touched."""
    literal_service.status(status)

    outcome = agent.run(SECONDS)

    assert (outcome.event, outcome.finished) == (event, False)
    assert outcome.refused_with == (status if status >= 400 else None)
    assert str(status) in str(outcome.problem)
    assert modem.asked == FETCH_TRACE
    assert len(literal_service.requests) == 1


def test_stops_at_the_first_failure(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """Behind a failure nothing is executed or reported, and finished is not acknowledged."""
    literal_service.commands(
        [f"{ID}.0", 2],
        [f"{ID}.1", 0, "+X", "1", []],
        [f"{ID}.2", 0, "+X", "2", [513]],
        [f"{ID}.3", 0, "+X", "3", []],
    )
    literal_service.status(200)
    modem.answers["AT+X=2"] = "+CME ERROR: 518\r\n"

    outcome = agent.run(SECONDS)

    assert not outcome.finished
    assert literal_service.reports() == [[[f"{ID}.1", 100, OK], [f"{ID}.2", 99, 518, "+CME ERROR: 518\r\n"]]]
    assert "AT+X=3" not in modem.asked
    assert agent.after == f"{ID}.2"


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 415, 500, None])
def test_report_that_is_not_taken(
    agent: HostAgent, modem: Any, literal_service: Any, status: int | None
) -> None:
    """Whatever but 200 a report is answered, it is not repeated: the next fetch says what was processed."""
    literal_service.commands([f"{ID}.1", 0, "+X", "1", []], [f"{ID}.2", 2])
    if status is None:
        literal_service.raw(None)
    else:
        literal_service.status(status)

    outcome = agent.run(SECONDS)

    assert (outcome.event, outcome.finished) == ("NO_COMMANDS", False)
    assert [head.split(b" ")[0] for head, _body in literal_service.requests] == [b"GET", b"POST", b"GET"]
    assert f"after={ID}.2&".encode() in literal_service.requests[2][0]
    assert modem.asked.count("AT+X=1") == 1
    assert [exchange.status for exchange in outcome.exchanges] == [200, status, 204]


def test_modem_without_time(agent: HostAgent, modem: Any, make_agent: Callable[..., HostAgent]) -> None:
    """A modem without time is given the host's, in UTC, before it signs; one with time is left alone."""
    agent.run(SECONDS)
    assert not any("CCLK=" in command for command in modem.asked)

    modem.time = None
    modem.asked.clear()
    oslo = timezone(timedelta(hours=1))
    outcome = make_agent(clock=datetime(2026, 3, 4, 5, 6, 7, tzinfo=oslo)).run(SECONDS)

    assert outcome.event == "NO_COMMANDS"
    assert modem.asked == [
        *("AT%SHORTSWVER", "AT%CCLK?", 'AT+CCLK="26/03/04,04:06:07+00"', "AT%CCLK?", 'AT%JWT=0,300,"",""'),
    ]


def test_modem_that_takes_no_time(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """A modem without time that takes none is the library's event for it, and nothing is sent."""
    modem.time, modem.takes_time = None, False

    assert agent.run(SECONDS).event == "FAILED_NO_VALID_DATETIME"
    assert literal_service.requests == []


@pytest.mark.parametrize(
    ("answer", "event"),
    [("+CME ERROR: 525\r\n", "FAILED_NO_VALID_DATETIME"), ("+CME ERROR: 513\r\n", "FAILED"), (OK, "FAILED")],
)
def test_modem_that_makes_no_jwt(
    agent: HostAgent, modem: Any, literal_service: Any, answer: str, event: str
) -> None:
    """Without a JWT nothing is sent."""
    modem.answers['AT%JWT=0,300,"",""'] = answer

    assert agent.run(SECONDS).event == event
    assert literal_service.requests == []


def test_silent_modem(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """A modem that falls silent in mid-batch is an error; nothing is reported, and the batch is not past."""
    literal_service.commands([f"{ID}.1", 0, "+X", "1", []], [f"{ID}.2", 0, "+X", "2", []])
    modem.silent.add("AT+X=2")

    with pytest.raises(ConsoleTimeout):
        agent.run(SECONDS)

    assert literal_service.reports() == []
    assert agent.after == ""


def test_forbidden_command(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """A batch with one command that may not be executed is not executed in part."""
    literal_service.commands([f"{ID}.1", 0, "+X", "1", []], [f"{ID}.2", 0, "+X", "2", []])
    modem.forbidden.add("AT+X=2")

    with pytest.raises(UsageError, match="not ours"):
        agent.run(SECONDS)

    assert modem.asked == FETCH_TRACE
    assert literal_service.reports() == []


def test_unreadable_commands(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """What cannot be read is not executed and not reported, and the run ends."""
    literal_service.status(200, b"\x9f\xff")
    outcome = agent.run(SECONDS)
    assert (outcome.event, len(outcome.exchanges)) == ("FAILED", 1)

    literal_service.commands(*([f"{ID}.{number}", 2] for number in range(11)))
    assert agent.run(SECONDS).event == "FAILED_TOO_MANY_COMMANDS"

    literal_service.commands([f"{ID}.1", 0, "+X", "y" * 5000, []])
    outcome = agent.run(SECONDS)
    assert (outcome.event, outcome.problem) == ("FAILED", "the answer does not fit 4096 bytes")
    assert not any(command.startswith("AT+X") for command in modem.asked)


def test_command_that_exceeds_the_buffer(make_agent: Callable[..., HostAgent], literal_service: Any) -> None:
    """A command longer than the agent said it takes is fatal, as it is for the library."""
    literal_service.commands([f"{ID}.1", 0, "+X", "y" * 200, []])

    outcome = make_agent(tx_size=200).run(SECONDS)

    assert (outcome.event, outcome.problem) == (
        "FATAL_ERROR",
        "an AT command of 206 bytes does not fit the buffer",
    )
    assert literal_service.reports() == []


def test_rounds_are_bounded(make_agent: Callable[..., HostAgent], modem: Any, literal_service: Any) -> None:
    """A service that never runs out of commands does not keep the agent for ever."""
    for number in range(3):
        literal_service.commands([f"{ID}.{number}", 1, {"a": str(number)}])
        literal_service.status(200)

    outcome = make_agent(most_rounds=3).run(SECONDS)

    assert (outcome.event, outcome.problem) == ("FAILED", "gave up after 3 fetches")
    assert len(literal_service.requests) == 6
    assert modem.mode == 1


def test_time_is_bounded(agent: HostAgent, literal_service: Any) -> None:
    """A run has a deadline of its own, between batches."""
    literal_service.commands([f"{ID}.1", 1, {"a": "1"}])

    with pytest.raises(BackendUnreachable, match="0 batches done"):
        agent.run(0.0)
    assert literal_service.requests == []


def test_nobody_listens(modem: Any) -> None:
    """Where nobody listens the library says wrong root CA, and so do we."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    agent = HostAgent(modem, ServiceLink(url))

    outcome = agent.run(SECONDS)

    assert (outcome.event, outcome.refused_with) == ("FAILED_WRONG_ROOT_CA", None)
    assert [exchange.status for exchange in outcome.exchanges] == [None]


def test_modem_that_does_not_go_offline(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """Without going offline nothing is executed; error numbers are put back."""
    literal_service.commands([f"{ID}.1", 0, "+X", "1", []])
    modem.answers["AT+CFUN=4"] = "ERROR\r\n"

    outcome = agent.run(SECONDS)

    assert (outcome.event, outcome.problem) == ("FAILED", "AT+CFUN=4 failed: ERROR")
    assert "AT+X=1" not in modem.asked
    assert literal_service.reports() == []
    assert modem.numbers == 0


def test_modem_that_does_not_come_back(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """What was done was reported; that the modem was not put back is told."""
    literal_service.commands([f"{ID}.1", 0, "+X", "1", []], [f"{ID}.2", 2])
    literal_service.status(200)
    modem.answers["AT+CFUN=1"] = "+CME ERROR: 528\r\n"

    outcome = agent.run(SECONDS)

    assert (outcome.event, outcome.problem) == ("DONE", "AT+CFUN=1 failed: +CME ERROR: 528")


@pytest.mark.parametrize("answer", ["OK\r\n", "", "+CMEE: x\r\nOK\r\n", "nonsense\r\n"])
def test_modem_that_talks_nonsense(agent: HostAgent, modem: Any, literal_service: Any, answer: str) -> None:
    """A modem that does not say how it is set is not worked with."""
    literal_service.commands([f"{ID}.1", 0, "+X", "1", []])
    modem.answers["AT+CMEE?"] = answer

    assert agent.run(SECONDS).event == "FAILED"
    assert literal_service.reports() == []


def test_modem_that_dies_before_the_report(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """What was done without a report is asked for again: ``after`` moves when a report is sent."""
    literal_service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", []])
    jwt = 'AT%JWT=0,300,"",""'

    def die_at_the_second(command: str, timeout: float) -> str:
        if command == jwt and modem.asked.count(jwt) == 1:
            modem.silent.add(jwt)
        told: str = answer(command, timeout)
        return told

    answer, modem.answer = modem.answer, die_at_the_second
    with pytest.raises(ConsoleTimeout):
        agent.run(SECONDS)
    assert "AT%CMNG=3,5,2" in modem.asked
    modem.answer = answer
    modem.silent.clear()

    assert agent.run(SECONDS).event == "NO_COMMANDS"

    assert [head.split(b"after=")[1][:1] for head, _body in literal_service.requests] == [b"&", b"&"]


def test_modem_that_makes_no_jwt_for_the_report(agent: HostAgent, modem: Any, literal_service: Any) -> None:
    """The same when the run ends because the modem refuses the report's JWT."""
    literal_service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", []])
    jwt = 'AT%JWT=0,300,"",""'

    def refuse_the_second(command: str, timeout: float) -> str:
        return "ERROR\r\n" if command == jwt and modem.asked.count(jwt) == 1 else answer(command, timeout)

    answer, modem.answer = modem.answer, refuse_the_second

    assert agent.run(SECONDS).event == "FAILED"
    assert agent.after == ""
