"""How the agent executes commands and reports on them (nrfcloud fact sheet, sections 3.4 and 3.6)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.nordic.virtual.agent_runs import ID, commands, events

# [[ID.1, 2]] of section 3.5, A, and what acknowledges it, E.
FINISHED = bytes.fromhex(
    "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3102"
)


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


def test_batch_that_is_offline_already(board: Any, service: Any, provision: Any) -> None:
    """A batch of two fetches goes offline twice; nothing is asked for when the modem is offline already."""
    board.call("configure", lte_control="host")
    service.commands([f"{ID}.1", 0, "%CMNG", "3,5,2", [513]], [f"{ID}.2", 0, "%CMNG", "3,5,3", [513]])
    service.status(200)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 1\r\n")
    board.type(b"AT+CFUN=4\r")
    board.host.wait_said(b"#XNRFPROV: 2\r\n")
    board.type(b"AT+CFUN=1\r")
    board.host.wait_said(b"#XNRFPROV: 0\r\n")

    assert events(board.call("agent_log")).count("NEED_LTE_DEACTIVATED") == 1
    assert board.host.sent("console").count(b"#XNRFPROV: 1\r\n") == 1
