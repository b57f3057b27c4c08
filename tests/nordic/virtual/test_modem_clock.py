"""The modem's clock and registration (nrfcloud fact sheet, section 5.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


CME = "+CME ERROR: {}\r\n"


def value(reply: str) -> str:
    """Return the quoted text of a one-line answer."""
    match = re.fullmatch(r'%\w+: "([^"]*)"\r\nOK\r\n', reply)
    assert match is not None, reply
    return match[1]


def test_network_gives_the_time(make_board: Callable[..., Any]) -> None:
    """After registration the clock runs."""
    board = make_board(boot_mode=4)
    assert board.at("AT%CCLK?") == "ERROR\r\n"
    assert board.at("AT+CCLK?") == "ERROR\r\n"
    board.at("AT+CEREG=1")

    board.at("AT+CFUN=1")
    board.host.wait_said(b"\r\n+CEREG: 1\r\n")

    assert re.fullmatch(r'%CCLK: "\d\d/\d\d/\d\d,\d\d:\d\d:\d\d\+00",0\r\nOK\r\n', board.at("AT%CCLK?"))


def test_network_that_does_not_give_the_time(make_board: Callable[..., Any]) -> None:
    """A registration may leave the modem without time."""
    board = make_board(boot_mode=4)
    board.call("network_time", on=False)
    board.at("AT+CEREG=1")

    board.at("AT+CFUN=1")
    board.host.wait_said(b"+CEREG: 1\r\n")

    assert board.at("AT%CCLK?") == "ERROR\r\n"


@pytest.mark.parametrize("text", ["26/11/21,05:18:49+00", "24/02/29,23:59:58-08", "24/02/29,00:00:00+56"])
def test_clock_set_by_hand(make_board: Callable[..., Any], text: str) -> None:
    """``+CCLK`` sets the clock, and both commands show it with its zone."""
    board = make_board(boot_mode=4)

    assert board.at(f'AT+CCLK="{text}"') == "OK\r\n"

    assert board.at("AT%CCLK?").startswith(f'%CCLK: "{text[:15]}')
    assert board.at("AT+CCLK?")[25:28] == text[-3:]
    token = value(board.at('AT%JWT=0,300,"",""'))
    assert token.count(".") == 2


def test_clock_of_a_control_call(make_board: Callable[..., Any]) -> None:
    """A test sets a Unix time or takes the time away; 1700000000 is 2023-11-14 22:13:20 UTC."""
    board = make_board(boot_mode=4)

    board.call("set_clock", seconds=1700000000)
    assert board.at("AT%CCLK?")[:23] == '%CCLK: "23/11/14,22:13:'
    board.call("set_clock", seconds=None)
    assert board.at("AT%CCLK?") == "ERROR\r\n"


@pytest.mark.parametrize(
    "text", ["", "26/13/21,05:18:49+00", "26/11/21,05:18:49", "26/11/21,05:18:49+57", "nonsense"]
)
def test_unfit_time(board: Any, text: str) -> None:
    """What is no time is a bad parameter."""
    board.at("AT+CMEE=1")

    assert board.at(f'AT+CCLK="{text}"') == CME.format(50)


def test_registration_reports(make_board: Callable[..., Any]) -> None:
    """``+CEREG`` is asked and told: searching, registered, gone."""
    board = make_board(boot_mode=4)
    assert board.at("AT+CEREG?") == "+CEREG: 0,0\r\nOK\r\n"
    board.at("AT+CEREG=1")

    board.at("AT+CFUN=1")
    board.host.wait_said(b"+CEREG: 1\r\n")
    board.at("AT+CFUN=4")

    assert board.host.sent("console").endswith(b"\r\n+CEREG: 2\r\n\r\n+CEREG: 1\r\n\r\n+CEREG: 0\r\n")
