"""A board in hand: everything is made on first use, through hooks, and closed with the board."""

from __future__ import annotations

import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RigFault, UsageError
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.inventory.leases import lease_file
from harness.plugins import HarnessPluginManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard as Leased


class Connection:
    """What a vendor's hook opened."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def leased(board: Board, **hooks: Callable[..., Any]) -> LeasedBoard:
    """Lease a board with one plugin that has these hooks."""
    plugins = HarnessPluginManager()
    plugins.register(types.SimpleNamespace(**hooks), "vendor")
    return LeasedBoard(board, plugins, capture_directory=None)


BOARD = Board(id="b1", kind="toy", driver="toy-driver", capabilities=frozenset({"speed"}))


def test_description_is_shown() -> None:
    """Identity, kind and capabilities are the description's."""
    board = leased(BOARD)

    assert (board.id, board.kind, board.capabilities) == ("b1", "toy", frozenset({"speed"}))
    assert board.description is BOARD


@pytest.mark.parametrize(
    ("facts", "remarks"),
    [
        ({}, []),
        ({"ambiguous": True}, ["known by its place alone: it has no USB serial number"]),
        (
            {"ambiguous": True, "confirmed": True, "properties": {"usb_serial": "7"}},
            ["told apart by asking: its USB serial number 7 is not unique"],
        ),
    ],
)
def test_reports_say_how_a_board_was_told_from_others(facts: dict[str, Any], remarks: list[str]) -> None:
    """Where its serial number tells, there is nothing to say."""
    assert leased(replace(BOARD, **facts)).remarks == remarks


def test_board_survives_the_way_to_another_process() -> None:
    """A board made from its own JSON is equal to it."""
    board = Board(
        id="b1",
        kind="toy",
        driver="d",
        capabilities=frozenset({"a", "b"}),
        endpoints={"console": Endpoint(role="console", url="/dev/x", dtr=False)},
        identity="I1",
        confirmed=True,
        ambiguous=True,
        ports={"/dev/x": 0, "/dev/y": 2},
        bench="/run/bench",
        properties={"imei": "1"},
    )

    assert Board.from_json(board.to_json()) == board
    assert board.virtual


def test_rig_files_cannot_give_one_board_two_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardware is leased by what it is called on USB, whatever each user's rig file calls it."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    found = Board(id="0010512", kind="toy", driver="d", properties={"usb_serial": "0010512"})

    assert lease_file(replace(found, id="left-shelf")) == lease_file(found)
    assert lease_file(replace(found, properties={})) == lease_file(found)
    assert lease_file(replace(found, id="left-shelf", properties={})) != lease_file(found)


def test_driver_is_made_once_by_the_hook() -> None:
    """The driver comes from the plugin that knows it, and stays the same object."""
    made: list[Leased] = []

    def harness_make_driver(board: Leased) -> object:
        made.append(board)
        return object()

    board = leased(BOARD, harness_make_driver=harness_make_driver)

    assert board.driver is board.driver
    assert made == [board]


def test_missing_driver_names_board_and_driver() -> None:
    """A driver that no installed plugin makes is a usage error that names both."""
    with pytest.raises(UsageError, match=r"b1.*toy-driver"):
        _ = leased(BOARD).driver


def test_endpoint_of_a_vendor_is_opened_once_and_closed_with_the_board() -> None:
    """A vendor's endpoint has one owner, the board."""
    connection = Connection()
    opened: list[str] = []

    def harness_open_endpoint(board: Leased, role: str) -> Connection:
        opened.append(role)
        return connection

    board = leased(BOARD, harness_open_endpoint=harness_open_endpoint)

    assert board.endpoint("network") is connection
    assert board.endpoint("network") is connection
    assert opened == ["network"]
    assert board.open_consoles == {}
    board.close()
    board.close()
    assert connection.closed == 1


def test_unknown_role_names_the_roles_there_are() -> None:
    """A role that the board lacks is a usage error with the roles that it has."""
    board = Board(id="b1", kind="toy", driver="d", endpoints={"trace": Endpoint(role="trace", url="/dev/x")})

    with pytest.raises(UsageError, match=r"no endpoint of this role.*'console'.*trace"):
        _ = leased(board).console


def test_console_is_opened_on_first_use() -> None:
    """The endpoint of the description becomes an open console, known by its role."""
    board = Board(
        id="b1", kind="toy", driver="d", endpoints={"console": Endpoint(role="console", url="loop://")}
    )
    held = leased(board)

    console = held.console
    console.write(b"ping\n")

    assert console.expect("ping", timeout=5, reason="the loop answers").text == b"ping"
    assert held.open_consoles == {"console": console}
    held.close()
    assert held.open_consoles == {}


def test_hardware_has_no_controls_of_the_virtual_bench() -> None:
    """Asking hardware for the bench's controls is the rig's fault, said clearly."""
    with pytest.raises(RigFault, match=r"b1 is hardware"):
        _ = leased(BOARD).virtual


def test_power_and_flash_come_from_hooks() -> None:
    """Hardware's controls are the vendor's; without a vendor there are none."""
    switch, flasher = object(), object()
    board = leased(
        BOARD,
        harness_make_power_switch=lambda board: switch,
        harness_make_flasher=lambda board: flasher,
    )

    assert board.power is switch
    assert board.flasher is flasher
    assert leased(BOARD).power is None
    assert leased(BOARD).flasher is None
