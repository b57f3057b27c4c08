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


def test_two_devices_with_one_serial_number_are_two_boards() -> None:
    """A device is told by serial number and location; such boards are not told apart until they are asked."""
    boards = boards_on(
        PROFILES,
        usb_port("/dev/ttyACM2", SEGGER, 0x1061, "001051200001", "1-1.10", 0),
        usb_port("/dev/ttyACM0", SEGGER, 0x1061, "001051200001", "1-1.2", 0),
        usb_port("/dev/ttyACM1", SEGGER, 0x1061, "001051200001", "1-1.2", 2),
        usb_port("/dev/ttyACM4", SEGGER, 0x1061, "001051200002", "1-3", 0),
    )

    assert [(board.id, board.ambiguous, board.ports) for board in boards] == [
        ("001051200001@1-1.10", True, {"/dev/ttyACM2": 0}),
        ("001051200001@1-1.2", True, {"/dev/ttyACM0": 0, "/dev/ttyACM1": 2}),
        ("001051200002", False, {"/dev/ttyACM4": 0}),
    ]
    assert [board.properties["usb_location"] for board in boards] == ["1-1.10", "1-1.2", "1-3"]
    assert len({board.hardware_identity for board in boards}) == 3


def test_stranger_with_a_boards_serial_number_confuses_nobody() -> None:
    """A serial number is unique among boards: what else shows it is of another kind anyway."""
    (board,) = boards_on(
        PROFILES,
        usb_port("/dev/ttyACM0", SEGGER, 0x1061, "001051200001", "1-1", 0),
        usb_port("/dev/ttyUSB0", 0x10C4, 0xEA60, "001051200001", "1-2", 0),
    )

    assert (board.id, board.ambiguous) == ("001051200001", False)


def test_board_without_a_serial_number_is_called_by_its_kind_and_place() -> None:
    """Where nothing but ids tells the kind, boards of it are boards, and only asking tells which."""
    profiles = {"toaster": with_usb("toaster", UsbMatch(vid=0x10C4, product="CP2102*"))}
    ports = [
        usb_port("/dev/ttyUSB0", 0x10C4, 0xEA60, None, "1-2", 0, "CP2102 USB to UART"),
        usb_port("/dev/ttyUSB1", 0x10C4, 0xEA60, None, "1-3", 0, "CP2102N"),
        usb_port("/dev/ttyUSB2", 0x10C4, 0xEA60, None, "1-4", 0, "CP2105"),
    ]

    boards = boards_on(profiles, *ports)

    assert [(board.id, board.ambiguous) for board in boards] == [("toaster@1-2", True), ("toaster@1-3", True)]
    assert all("usb_serial" not in board.properties for board in boards)


def test_ports_of_which_no_place_is_known_are_boards_of_their_own() -> None:
    """Without serial number and location nothing says that two ports are one board's."""
    profiles = {"toaster": with_usb("toaster", UsbMatch(vid=0x10C4))}

    boards = boards_on(profiles, usb_port("/dev/cu.a", 0x10C4), usb_port("/dev/cu.b", 0x10C4))

    assert [board.id for board in boards] == ["toaster@/dev/cu.a", "toaster@/dev/cu.b"]


def two_roles() -> Profile:
    """A kit whose console is on interface 0 and whose trace is on interface 2."""
    console = PROFILES["nrf9151dk"].endpoints["console"]
    return PROFILES["nrf9151dk"].model_copy(
        update={"endpoints": {"trace": console.model_copy(update={"interface": 2}), "console": console}}
    )


def test_trace_is_on_its_interface_and_not_on_the_second_port() -> None:
    """Of three ports each role has the one on its own interface."""
    ports = [
        usb_port("/dev/ttyACM5", SEGGER, 0x1061, "001051200001", "1-1", 2),
        usb_port("/dev/ttyACM7", SEGGER, 0x1061, "001051200001", "1-1", 1),
        usb_port("/dev/ttyACM9", SEGGER, 0x1061, "001051200001", "1-1", 0),
    ]

    (board,) = boards_on({"nrf9151dk": two_roles()}, *ports)

    assert {role: endpoint.url for role, endpoint in board.endpoints.items()} == {
        "console": "/dev/ttyACM9",
        "trace": "/dev/ttyACM5",
    }


def test_order_decides_where_the_system_tells_no_interfaces() -> None:
    """On such a system the first port has the lowest of the kind's interfaces."""
    ports = [
        usb_port("/dev/cu.usbmodem10", SEGGER, 0x1061, "001051200001", "20-1"),
        usb_port("/dev/cu.usbmodem2", SEGGER, 0x1061, "001051200001", "20-1"),
        usb_port("/dev/cu.usbmodem11", SEGGER, 0x1061, "001051200001", "20-1"),
    ]

    (board,) = boards_on({"nrf9151dk": two_roles()}, *ports)

    assert {role: endpoint.url for role, endpoint in board.endpoints.items()} == {
        "console": "/dev/cu.usbmodem2",
        "trace": "/dev/cu.usbmodem10",
    }
    assert board.ports == {}


def test_first_of_several_ports_on_one_interface_counts() -> None:
    """A bridge with several ports on one interface has its console on the first."""
    ports = [
        usb_port("/dev/ttyUSB10", SEGGER, 0x1061, "001051200001", "1-1", 0),
        usb_port("/dev/ttyUSB9", SEGGER, 0x1061, "001051200001", "1-1", 0),
    ]

    assert boards_on(PROFILES, *ports)[0].endpoints["console"].url == "/dev/ttyUSB9"


LOCATIONS = st.sampled_from(["1-1", "1-1.1", "1-2", None])
SERIALS = st.sampled_from(["001051200001", "001051200002", "x", None])


@given(st.lists(st.tuples(SERIALS, LOCATIONS, st.integers(0, 3)), max_size=8))
def test_each_port_belongs_to_one_device_or_to_nobody(
    shown: list[tuple[str | None, str | None, int]],
) -> None:
    """No port is lost and none is two boards'; boards that share a serial number are all ambiguous."""
    ports = [
        usb_port(f"/dev/ttyACM{number}", SEGGER, 1, serial, location, interface)
        for number, (serial, location, interface) in enumerate(shown)
    ]

    found = survey_host(PROFILES, ports, None)

    of_boards = [device for board in found.boards for device in board.ports]
    of_nobody = [one.device for one in found.strangers]
    assert sorted(of_boards + of_nobody) == sorted(port.device for port in ports)
    plain = [board.properties.get("usb_serial") for board in found.boards if not board.ambiguous]
    every = [board.properties.get("usb_serial") for board in found.boards]
    assert all(every.count(serial) == 1 for serial in plain)
    assert len({board.id for board in found.boards}) == len(found.boards)
