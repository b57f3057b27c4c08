"""Power cuts at chosen points: what a board passes, and what is left of it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"
FETCH, REPORT = "GET /v1/provisioning/commands", "POST /v1/provisioning/response"


def points(board: Any) -> list[tuple[str, str]]:
    """Return the points without the query of a fetch."""
    return [
        (point, detail.partition("?")[0] if "exchange" in point or "request" in point else detail)
        for point, detail in board.call("passed_points")
    ]


@pytest.fixture
def provisioning(board: Any, service: Any) -> Callable[[], None]:
    """Start a run of two commands and ``finished``; it is not waited for."""
    board.call("set_service", url=service.url)
    board.host.wait_said(b"Ready")

    def start() -> None:
        service.commands(
            [f"{ID}.1", 0, "%CMNG", '0,5,3,"abcd"', []], [f"{ID}.2", 1, {"a": "1", "b": "2"}], [f"{ID}.3", 2]
        )
        service.status(200)
        board.call("passed_points", clear=True)
        board.type(b"AT#XNRFPROV\r")

    return start


def test_points_of_a_run(board: Any, provisioning: Callable[[], None]) -> None:
    """Each AT command, each write to flash and each exchange is passed, before and after; no secret shows."""
    provisioning()
    board.host.wait_said(b"#XNRFPROV: 0\r\n")

    passed = points(board)

    assert passed[:2] == [("before at", "AT#XNRFPROV"), ("after at", "AT#XNRFPROV")]
    write = passed.index(("before at", 'AT%CMNG=0,5,3,"..."'))
    assert passed[write : write + 4] == [
        ("before at", 'AT%CMNG=0,5,3,"..."'),
        ("before flash", "credential 5,3 written"),
        ("after flash", "credential 5,3 written"),
        ("after at", 'AT%CMNG=0,5,3,"..."'),
    ]
    assert [point for point in passed if "setting" in point[1]] == [
        ("before flash", "setting a"),
        ("after flash", "setting a"),
        ("before flash", "setting b"),
        ("after flash", "setting b"),
    ]
    assert [point for point in passed if "/v1/" in point[1]] == [
        ("before exchange", FETCH),
        ("request sent", FETCH),
        ("after exchange", FETCH),
        ("before exchange", REPORT),
        ("request sent", REPORT),
        ("after exchange", REPORT),
    ]
    assert "abcd" not in str(passed)
    assert board.call("passed_points", clear=True)
    assert board.call("passed_points") == []


@pytest.mark.parametrize(
    ("point", "nth", "held", "settings", "requests"),
    [
        ("before exchange", 1, 0, {}, 0),
        ("request sent", 1, 0, {}, 1),
        ("after exchange", 1, 0, {}, 1),
        ("before flash", 1, 0, {}, 1),
        ("after flash", 1, 1, {}, 1),
        ("before flash", 2, 1, {}, 1),
        ("after flash", 2, 1, {"a": "1"}, 1),
        ("before flash", 3, 1, {"a": "1"}, 1),
        ("after flash", 3, 1, {"a": "1", "b": "2"}, 1),
        ("before exchange", 2, 1, {"a": "1", "b": "2"}, 1),
        ("request sent", 2, 1, {"a": "1", "b": "2"}, 2),
        ("after exchange", 2, 1, {"a": "1", "b": "2"}, 2),
    ],
)
def test_cut_at_a_point(
    board: Any,
    service: Any,
    provisioning: Callable[[], None],
    point: str,
    nth: int,
    held: int,
    settings: dict[str, str],
    requests: int,
) -> None:
    """What is done before the point stays, what comes behind it is never done, and nothing more is said."""
    board.call("arm_power_cut", point=point, nth=nth)
    provisioning()
    board.host.wait_dark()
    said = board.host.sent("console")

    assert points(board)[-1][0] == point
    assert [entry["tag"] for entry in board.call("credentials") if entry["tag"] == 5] == [5] * held
    assert board.call("settings") == settings
    assert len(service.requests) == requests
    assert board.host.sent("console") == said
    assert b"#XNRFPROV" not in said


def test_everything_volatile_is_forgotten(board: Any, service: Any, provisioning: Callable[[], None]) -> None:
    """Functional mode, error numbers, clock and ``after`` are gone; with power the board starts anew."""
    board.call("arm_power_cut", point="before exchange", nth=2)
    provisioning()
    board.host.wait_dark()
    service.wait_requests(1)

    board.power_on()
    assert board.at("AT+CMEE?") == "+CMEE: 0\r\nOK\r\n"
    service.raw(b"HTTP/1.1 204 X\r\n\r\n")
    board.type(b"AT#XNRFPROV\r")
    service.wait_requests(2)

    assert b"commands?after=&" in service.requests[1][0]


def test_cut_of_a_console_command(board: Any) -> None:
    """Before it a command is not done, after it is done but not answered; what was typed behind is lost."""
    board.offline()
    for point, done in (("before at", False), ("after at", True)):
        start = len(board.host.sent("console"))
        board.call("arm_power_cut", point=point)
        board.type(b'AT%CMNG=0,7,3,"abcd"\rAT+CGSN\r')
        assert board.host.sent("console")[start:] == b""
        assert [entry["tag"] for entry in board.call("credentials") if entry["tag"] == 7] == [7] * done
        board.power_on()
        board.offline()
    board.type(b"AT\r")
    assert board.host.sent("console").endswith(b"\nOK\r\n")


def test_cut_that_comes_back(board: Any) -> None:
    """After a short cut the board boots by itself: it has forgotten, but it answers."""
    assert board.at("AT+CMEE=1") == "OK\r\n"
    board.call("arm_power_cut", point="after at", nth=2, comes_back=True)
    board.type(b"AT\r")
    board.type(b"AT+CMEE?\r")
    board.host.wait_said(b"Ready\r\n", start=8)
    board.type(b"AT+CMEE?\r")

    assert board.host.sent("console") == b"Ready\r\n\nOK\r\nReady\r\n\n+CMEE: 0\r\nOK\r\n"
    assert board.host.supply_cuts == 1


def test_order_is_forgotten(board: Any) -> None:
    """A cut happens once; an order that was taken back, replaced or cleared does not happen."""
    board.call("arm_power_cut", point="before at")
    board.call("disarm_power_cut")
    board.at("AT")
    board.call("arm_power_cut", point="before at")
    board.call("arm_power_cut", point="before flash")
    board.at("AT")
    board.call("clear_faults")
    board.offline()
    assert board.at('AT%CMNG=0,7,3,"abcd"') == "OK\r\n"
    assert board.host.supply_cuts == 0


@pytest.mark.parametrize(
    "params", [{"point": "somewhere"}, {"point": "before at", "nth": 0}, {"point": "before at", "nth": True}]
)
def test_unfit_orders(board: Any, params: dict[str, Any]) -> None:
    """A point that does not exist and a count that is none are refused."""
    with pytest.raises(ValueError, match="expected"):
        board.call("arm_power_cut", **params)


def test_plain_at_firmware(board: Any, service: Any) -> None:
    """Without an agent the command for it does not exist, and nothing is fetched; as built there is one."""
    board.call("set_service", url=service.url)
    board.call("configure", agent=False)

    assert board.at("AT#XNRFPROV") == "ERROR\r\n"
    assert board.at("AT#XNRFPROV=?") == "ERROR\r\n"
    with pytest.raises(ValueError, match="plain AT"):
        board.call("provision")
    assert service.requests == []

    board.call("clear_faults")
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 0\r\n")


def test_board_that_was_built_without_an_agent(make_board: Any) -> None:
    """Built plain it stays plain."""
    board = make_board(agent=False)
    board.call("clear_faults")

    assert board.at("AT#XNRFPROV") == "ERROR\r\n"


def test_faults_end_and_the_board_is_as_built(make_board: Any, service: Any) -> None:
    """Room, build, network time and clock are as at first; address, settings and credentials stay."""
    board = make_board(capacity=5000, tx_size=2000)
    board.offline()
    assert board.at('AT%CMNG=0,7,3,"abcd"') == "OK\r\n"
    board.call("set_service", url=service.url)
    board.call("configure", tx_size=1000, lte_control="host", root_ca_tag=7)
    board.call("set_capacity", size=0)
    board.call("network_time", on=False)
    board.call("set_clock", seconds=1000)
    before = board.call("credentials")

    board.call("clear_faults")

    built = board.call("configuration")
    assert (built["tx_size"], built["lte_control"], built["root_ca_tag"]) == (2000, "board", 50)
    assert built["service"] == service.url
    assert board.call("credentials") == before
    assert board.at('AT%CMNG=0,8,3,"abcd"') == "OK\r\n"
    assert board.at("AT+CFUN=1") == "OK\r\n"
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 0\r\n")
