"""The agent without time, network, power or a host that obeys (nrfcloud fact sheet, sections 3.6 and 3.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.nordic.virtual.agent_runs import ID, events, run

if TYPE_CHECKING:
    from collections.abc import Callable


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
    board.host.wait_said(b"event START", role="trace")

    board.call("set_clock", seconds=1700000000)

    board.host.wait_said(b"#XNRFPROV: 0\r\n")
    assert len(service.requests) == 1


def test_no_network(make_board: Callable[..., Any], service: Any) -> None:
    """A modem that is offline when the run begins is waited for."""
    board = make_board(boot_mode=4)
    board.call("set_service", url=service.url)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"event START", role="trace")
    assert service.requests == []

    board.at("AT+CFUN=1")

    board.host.wait_said(b"#XNRFPROV: 0\r\n")


def test_network_that_never_comes(make_board: Callable[..., Any], service: Any) -> None:
    """Without a network there is no time, and so the run ends with that."""
    board = make_board(boot_mode=4, time_wait=0.05)
    board.call("set_service", url=service.url)

    run(board, -4)

    assert service.requests == []


def test_console_stays_live(board: Any, service: Any, provision: Any) -> None:
    """While an exchange is under way the modem answers, and a second trigger runs afterwards."""
    service.hold.clear()
    board.type(b"AT#XNRFPROV\r")
    service.wait_requests(1)

    board.type(b"AT+CGMM\rAT#XNRFPROV\r")
    board.host.wait_said(b"\nnRF9151-LACA\r\nOK\r\n\nOK\r\n")
    service.hold.set()

    service.wait_requests(2)
    sent = board.host.wait_said(b"\r\n#XNRFPROV: 0\r\n\r\n#XNRFPROV: 0\r\n")
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
    board.host.wait_said(b"event START", role="trace")

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
    board.host.wait_said(b"\r\n#XNRFPROV: 1\r\n")
    assert board.at("AT+CFUN?") == "+CFUN: 1\r\nOK\r\n"
    board.type(b"AT+CFUN=4\r")
    board.host.wait_said(b"\r\n#XNRFPROV: 2\r\n")
    board.type(b"AT+CFUN=1\r")
    board.host.wait_said(b"\r\n#XNRFPROV: 0\r\n")

    assert service.reports() == [[[f"{ID}.1", 100, "OK\r\n"], [f"{ID}.2", 102]]]


@pytest.mark.parametrize("answers", [b"", b"AT+CFUN=4\r"], ids=["not offline", "not online"])
def test_host_that_does_not_obey(board: Any, service: Any, provision: Any, answers: bytes) -> None:
    """The agent gives up after a while."""
    board.call("configure", lte_control="host", state_wait=0.1)
    service.commands([f"{ID}.1", 0, "%CMNG", '0,5,4,"me"', []])
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 1\r\n")
    board.type(answers)

    board.host.wait_said(b"#XNRFPROV: -1\r\n")

    assert service.reports() == []


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


def test_trigger_by_the_firmware(board: Any, service: Any) -> None:
    """A timer of the firmware starts the same run as the command does."""
    board.call("set_service", url=service.url)

    board.call("provision")

    board.host.wait_said(b"\r\n#XNRFPROV: 0\r\n")
    assert len(service.requests) == 1
