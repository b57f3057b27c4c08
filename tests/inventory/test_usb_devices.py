"""USB devices among serial ports, and the boards that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.inventory.attached import survey_host
from harness.inventory.profiles import Profile, UsbMatch, load_profiles
from harness.shipped import shipped_directory
from tests.inventory.usb_ports import SEGGER, usb_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.inventory.board import Board
    from harness.inventory.serial_ports import SerialPort

PROFILES = load_profiles([shipped_directory("boards")])


def boards_on(profiles: Mapping[str, Profile], *ports: SerialPort) -> list[Board]:
    """The boards among some ports."""
    return list(survey_host(profiles, ports, None).boards)


def found(*ports: SerialPort) -> list[tuple[str, str]]:
    """Identity and kind of each board among some ports."""
    return [(board.id, board.kind) for board in boards_on(PROFILES, *ports)]


@pytest.mark.parametrize(
    ("serial", "vid", "kind"),
    [
        ("000960012345", SEGGER, "nrf9160dk"),
        ("001050912345", SEGGER, "nrf9161dk"),
        ("001051012345", SEGGER, "nrf9131ek"),
        ("001051200001", SEGGER, "nrf9151dk"),
        ("001052000001", SEGGER, "nrf9151dk"),
        ("001051312345", SEGGER, "thingy91x"),
        ("001055012345", SEGGER, "thingy91x"),
        ("001055112345", SEGGER, "thingy91x"),
        ("THINGY91X_ABCDEF", 0x1915, "thingy91x"),
        ("THINGY91_ABCDEF", 0x1915, "thingy91"),
        ("PCA20035_ABCDEF", 0x1915, "thingy91"),
    ],
)
def test_kind_follows_from_the_serial_number(serial: str, vid: int, kind: str) -> None:
    """The kinds are told apart by serial number as the vendor's own client does (facts 7.6)."""
    assert found(usb_port("/dev/ttyACM0", vid, 0x1069, serial, "1-1", 0)) == [(serial, kind)]


@pytest.mark.parametrize(
    "port",
    [
        usb_port("/dev/ttyS0"),
        usb_port("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI", "1-2"),
        usb_port("/dev/ttyACM0", SEGGER, 0x1069, None, "1-1", 0),
        usb_port("/dev/ttyACM0", 0x0403, 0x6001, "001051200001", "1-1", 0),
        usb_port("/dev/ttyACM0", SEGGER, 0x1069, "001057712345", "1-1", 0),
    ],
    ids=["no usb", "another maker", "no serial number", "right serial, wrong vendor", "unknown kit"],
)
def test_other_ports_are_no_boards(port: SerialPort) -> None:
    """A port that no profile describes is left out."""
    assert found(port) == []


def test_ports_of_one_board_are_one_board() -> None:
    """Ports with the same serial number are one board; the console is its first USB interface."""
    ports = [
        usb_port("/dev/ttyACM0", SEGGER, 0x1069, "001051200001", "1-1", 2),
        usb_port("/dev/ttyACM1", SEGGER, 0x1069, "001051200001", "1-1", 0),
    ]

    boards = boards_on(PROFILES, *ports)

    assert len(boards) == 1
    board = boards[0]
    assert not board.virtual
    assert board.driver == "nrf91"
    assert board.endpoints["console"].url == "/dev/ttyACM1"
    assert board.endpoints["console"].discipline == "at-host"
    assert board.endpoints["console"].rtscts
    assert board.properties["usb_serial"] == "001051200001"
    assert board.properties["title"] == "nRF9151 DK"


def test_interface_is_a_number_and_no_position() -> None:
    """The second port of a board is not its first because the first is not there."""
    (board,) = boards_on(PROFILES, usb_port("/dev/ttyACM0", SEGGER, 0x1069, "001051200001", "1-1", 2))

    assert board.endpoints == {}
    assert board.ports == {"/dev/ttyACM0": 2}


def test_ports_without_a_location_are_ordered_by_name() -> None:
    """Where the system says nothing of interfaces, the device names decide."""
    ports = [
        usb_port("/dev/ttyACM1", SEGGER, 0x1069, "001051200001"),
        usb_port("/dev/ttyACM0", SEGGER, 0x1069, "001051200001"),
    ]

    assert boards_on(PROFILES, *ports)[0].endpoints["console"].url == "/dev/ttyACM0"


def test_endpoint_without_its_port_is_left_out() -> None:
    """A board that shows fewer ports than its profile has roles keeps the roles that are there."""
    console = PROFILES["nrf9151dk"].endpoints["console"]
    profile = PROFILES["nrf9151dk"].model_copy(
        update={"endpoints": {"console": console, "trace": console.model_copy(update={"interface": 1})}}
    )

    boards = boards_on(
        {profile.name: profile}, usb_port("/dev/ttyACM0", SEGGER, 0x1069, "001051200001", "1-1", 0)
    )

    assert set(boards[0].endpoints) == {"console"}


def with_usb(name: str, *matches: UsbMatch) -> Profile:
    """A kind that is known by some USB matches."""
    return PROFILES["nrf9151dk"].model_copy(update={"name": name, "usb": list(matches)})


def test_ambiguous_profiles_are_refused() -> None:
    """Two kinds that fit a board equally well are a usage error that names both."""
    profiles = {name: with_usb(name, UsbMatch(vid=SEGGER)) for name in ("one", "two")}

    with pytest.raises(UsageError, match=r"profiles one and two fit the board on .*\(got '123'\)"):
        boards_on(profiles, usb_port("/dev/ttyACM0", SEGGER, 1, "123"))


def test_product_id_tells_kinds_apart() -> None:
    """A profile that names the product id too fits more closely, and not at all when it differs."""
    profiles = {
        "any": with_usb("any", UsbMatch(vid=SEGGER)),
        "exact": with_usb("exact", UsbMatch(vid=SEGGER, pid=7)),
    }

    kinds = [boards_on(profiles, usb_port("/dev/ttyACM0", SEGGER, pid, "123"))[0].kind for pid in (7, 8)]

    assert kinds == ["exact", "any"]


@given(
    serials=st.lists(st.text(max_size=14) | st.just("001051200001"), max_size=6),
    location=st.none() | st.text(max_size=8),
)
def test_any_ports_give_distinct_boards(serials: list[str], location: str | None) -> None:
    """However odd the strings are that devices send, each board is found once and has an identity."""
    ports = [usb_port(f"/dev/ttyACM{n}", SEGGER, n, serial, location) for n, serial in enumerate(serials)]

    ids = [board.id for board in boards_on(PROFILES, *ports)]

    assert ids == sorted(set(ids))
    assert all(ids)
