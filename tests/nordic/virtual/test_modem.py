"""What the modem is, its modes, its faults and its controls (nrfcloud fact sheet, section 5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_nordic.virtual.modem import Modem

if TYPE_CHECKING:
    from collections.abc import Callable

CME = "+CME ERROR: {}\r\n"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("AT", "OK\r\n"),
        ("AT+CGSN", "359404230000003\r\nOK\r\n"),
        ("AT+CGSN=0", '+CGSN: "359404230000003"\r\nOK\r\n'),
        ("AT+CGSN=1", '+CGSN: "359404230000003"\r\nOK\r\n'),
        ("AT+CGSN=2", '+CGSN: "3594042300000001"\r\nOK\r\n'),
        ("AT+CGSN=3", '+CGSN: "01"\r\nOK\r\n'),
        ("AT+CGMI", "Nordic Semiconductor ASA\r\nOK\r\n"),
        ("AT+CGMM", "nRF9151-LACA\r\nOK\r\n"),
        ("AT+CGMR", "mfw_nrf91x1_2.0.2\r\nOK\r\n"),
        ("AT%SHORTSWVER", "%SHORTSWVER: nrf91x1_2.0.2\r\nOK\r\n"),
        ("AT%HWVERSION", "%HWVERSION: nRF9151 LACA ADA\r\nOK\r\n"),
        ("AT%HWVERSION?", "ERROR\r\n"),
        ("AT%XMODEMUUID", "%XMODEMUUID: 25c95751-efa4-40d4-8b4a-1dcaab81fac9\r\nOK\r\n"),
        ("AT+CMEE?", "+CMEE: 0\r\nOK\r\n"),
        ("AT+CFUN?", "+CFUN: 1\r\nOK\r\n"),
        ("AT#XNRFPROV=?", "#XNRFPROV\r\nOK\r\n"),
    ],
)
def test_identification(board: Any, command: str, reply: str) -> None:
    """What the modem says of itself after power-on, to the byte."""
    assert board.at(command) == reply


@pytest.mark.parametrize(
    ("kind", "model", "firmware"),
    [
        ("nrf9160dk-virtual", "nRF9160-SICA", "mfw_nrf9160_1.3.7"),
        ("nrf9161dk-virtual", "nRF9161-LACA", "mfw_nrf91x1_2.0.2"),
        ("nrf9131ek-virtual", "nRF9131-LACA", "mfw_nrf91x1_2.0.2"),
        ("thingy91-virtual", "nRF9160-SICA", "mfw_nrf9160_1.3.7"),
        ("thingy91x-virtual", "nRF9151-LACA", "mfw_nrf91x1_2.0.2"),
    ],
)
def test_kinds(make_board: Callable[..., Any], kind: str, model: str, firmware: str) -> None:
    """Each kind has its chip and firmware."""
    board = make_board(kind)

    assert board.at("AT+CGMM") == f"{model}\r\nOK\r\n"
    assert board.at("AT+CGMR") == f"{firmware}\r\nOK\r\n"
    assert board.board.describe()["model"] == model


def test_device_uuid(board: Any) -> None:
    """The UUID is that of the inventory, without quotes."""
    assert board.at("AT%DEVICEUUID") == f"%DEVICEUUID: {board.board.describe()['uuid']}\r\nOK\r\n"


@pytest.mark.parametrize(
    "command",
    [
        "kernel reboot warm",
        "AT+NOSUCH",
        "AT+NOSUCH=1",
        "AT+CGMM=1",
        "AT+CGSN?",
        "AT+CMEE",
        "AT+CFUN",
        "AT+CEREG",
        "AT?",
        "AT%CCLK",
        "AT+CCLK",
        "AT%ATTESTTOKEN?",
        "AT%KEYGEN?",
        "AT%CMNG?",
        "AT%JWT?",
        "AT#XNRFPROV=1",
        "AT#XNRFPROV?",
    ],
)
def test_unknown_and_ill_formed_commands(board: Any, command: str) -> None:
    """They are a plain ERROR, also when error numbers are on."""
    assert board.at(command) == "ERROR\r\n"
    board.at("AT+CMEE=1")
    assert board.at(command) == "ERROR\r\n"


def test_error_numbers_can_be_switched(board: Any) -> None:
    """``+CMEE`` decides between number and plain error."""
    assert board.at("AT%CMNG=3,1,0") == "ERROR\r\n"
    assert board.at("AT+CMEE=1") == "OK\r\n"
    assert board.at("AT+CMEE?") == "+CMEE: 1\r\nOK\r\n"
    assert board.at("AT+CMEE=2") == CME.format(50)
    assert board.at("AT%CMNG=3,1,0") == CME.format(518)
    assert board.at("AT+CMEE=0") == "OK\r\n"
    assert board.at("AT%CMNG=3,1,0") == "ERROR\r\n"


@pytest.mark.parametrize(
    ("modes", "shown", "locked"),
    [
        ((0,), 0, False),
        ((4,), 4, False),
        ((1,), 1, True),
        ((4, 21), 1, True),
        ((4, 31), 31, True),
        ((1, 20), 31, True),
        ((1, 30), 1, True),
        ((1, 20, 30), 0, False),
        ((4, 21, 20), 4, False),
    ],
)
def test_functional_modes(board: Any, modes: tuple[int, ...], shown: int, *, locked: bool) -> None:
    """LTE and GNSS can be switched apart; while either runs, credentials are locked (error 518)."""
    board.at("AT+CMEE=1")
    for mode in modes:
        assert board.at(f"AT+CFUN={mode}") == "OK\r\n"

    assert board.at("AT+CFUN?") == f"+CFUN: {shown}\r\nOK\r\n"
    for command in ('AT%CMNG=0,5,3,"00ff"', "AT%CMNG=3,5,3", "AT%KEYGEN=5,2,0"):
        assert (board.at(command) == CME.format(518)) is locked


def test_unknown_functional_mode(board: Any) -> None:
    """A mode that does not exist is a bad parameter."""
    board.at("AT+CMEE=1")

    assert board.at("AT+CFUN=7") == CME.format(50)


def test_faults(board: Any) -> None:
    """A fault meets the commands that begin with its text, as often as was said, and then no more."""
    board.at("AT+CMEE=1")
    board.call("fail_next", command="at%cmng=1", outcome=515, times=2)
    board.call("fail_next", command="AT+CGSN", outcome="error")

    assert board.at("AT%CMNG=1,5") == CME.format(515)
    assert board.at("AT+CGMM") == "nRF9151-LACA\r\nOK\r\n"
    assert board.at("AT%CMNG=1") == CME.format(515)
    assert board.at("AT%CMNG=1,5") == "OK\r\n"
    assert board.at("AT+CGSN") == "ERROR\r\n"
    assert board.at("AT+CGSN") == "359404230000003\r\nOK\r\n"


def test_silence(board: Any) -> None:
    """A silent modem says nothing at all, and answers again afterwards; faults can be called off."""
    board.call("fail_next", command="AT+CGMM", outcome="silent")
    board.call("fail_next", command="AT+CGMI", outcome="error", times=9)

    board.type(b"AT+CGMM\r")
    assert board.host.sent("console") == b"Ready\r\n"
    board.call("clear_faults")
    board.type(b"AT+CGMI\rAT+CGMM\r")
    expected = b"\nNordic Semiconductor ASA\r\nOK\r\n\nnRF9151-LACA\r\nOK\r\n"
    assert board.host.sent("console") == b"Ready\r\n" + expected


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("no_such_call", {}),
        ("_log", {}),
        ("call", {}),
        ("provision", {"now": True}),
        ("set_clock", {}),
        ("set_clock", {"seconds": "now"}),
        ("set_clock", {"seconds": 9e12}),
        ("fail_next", {"command": "AT", "outcome": "explode"}),
        ("fail_next", {"command": "AT", "outcome": True}),
        ("fail_next", {"command": "AT", "outcome": 1.5}),
        ("fail_next", {"command": "AT", "outcome": 513, "times": 0}),
        ("forge", {"what": "passport"}),
        ("forge", {"what": "token-signature", "times": -1}),
        ("set_service", {"url": "coaps://127.0.0.1"}),
        ("set_service", {"url": "http://"}),
        ("set_service", {"url": "http://127.0.0.1:1/v1"}),
        ("set_capacity", {"size": -1}),
        ("configure", {"service": "http://127.0.0.1"}),
        ("configure", {"rx_size": "large"}),
        ("configure", {"no_such": 1}),
    ],
)
def test_unfit_control_calls(board: Any, method: str, params: dict[str, Any]) -> None:
    """A control call that cannot be is a ValueError."""
    with pytest.raises(ValueError, match=r"\w"):
        board.call(method, **params)


def test_control_calls(board: Any) -> None:
    """Factory record, configuration and the listing of credentials."""
    record = board.call("factory_record")
    facts = board.board.describe()

    assert (record["uuid"], record["imei"], record["device_type"]) == (facts["uuid"], facts["imei"], 6)
    assert record["firmware_uuid"] == "25c95751-efa4-40d4-8b4a-1dcaab81fac9"
    assert re.fullmatch("04[0-9a-f]{128}", record["public_key"])
    board.call("configure", rx_size=1024, time_wait=1, lte_control="host")
    configuration = board.call("configuration")
    assert (configuration["rx_size"], configuration["time_wait"]) == (1024, 1.0)
    assert configuration["lte_control"] == "host"
    assert [entry["tag"] for entry in board.call("credentials")] == [4294967292, 4294967293, 4294967294]
    assert "content" not in board.call("credentials")[0]


@pytest.mark.parametrize("options", [{"colour": "white"}])
def test_unknown_option(make_board: Callable[..., Any], options: dict[str, Any]) -> None:
    """A board is not made with an option that nobody knows."""
    with pytest.raises(ValueError, match="unknown option 'colour'; known are"):
        make_board(**options)


def test_unknown_kind(make_board: Callable[..., Any]) -> None:
    """A kind that nobody knows is refused with the known ones."""
    with pytest.raises(ValueError, match="expected one of nrf9160dk-virtual"):
        make_board("nrf52840dk-virtual")


def test_every_board_has_a_key_of_its_own(make_board: Callable[..., Any]) -> None:
    """Two boards differ in UUID, key and IMEI."""
    first, second = (make_board(number=number).call("factory_record") for number in (0, 1))

    for field in ("uuid", "public_key", "imei"):
        assert first[field] != second[field]


@pytest.fixture(scope="module")
def lone_modem() -> Modem:
    """A modem without a host, for many commands."""
    from uuid import uuid4

    from harness_nordic.virtual import signing
    from harness_nordic.virtual.credentials import CredentialStore
    from harness_nordic.virtual.identity import DeviceIdentity
    from harness_nordic.virtual.kinds import NRF9151

    identity = DeviceIdentity(uuid=uuid4(), imei="359404230261381", key=signing.new_key(), chip=NRF9151)
    modem = Modem(identity, CredentialStore(identity))

    class Quiet:
        active = False
        mode = 4

        def set_mode(self, _mode: int) -> None:
            """Accept."""

        def set_reports(self, _level: int) -> None:
            """Accept."""

        def describe_registration(self) -> str:
            return "+CEREG: 0,0"

    modem.radio = Quiet()  # type: ignore[assignment] # all that the modem asks of it
    modem.error_numbers = True
    return modem


ARGUMENT = st.one_of(
    st.integers(0, 9).map(str), st.text(max_size=8).map(lambda text: f'"{text}"'), st.text(max_size=6)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(
        ["%CMNG", "%KEYGEN", "%JWT", "%ATTESTTOKEN", "+CFUN", "+CMEE", "+CGSN", "+CCLK", "+CEREG"]
    ),
    arguments=st.lists(ARGUMENT, max_size=7),
)
def test_any_arguments_are_answered(lone_modem: Modem, name: str, arguments: list[str]) -> None:
    """Whatever the arguments are, the answer ends with OK, ERROR or a number."""
    lone_modem.error_numbers = True

    reply = lone_modem.execute(f"AT{name}={','.join(arguments)}")

    assert reply is not None
    assert re.fullmatch(r"(?s)(.*\r\n)?(OK|ERROR|\+CME ERROR: \d+)\r\n", reply)
