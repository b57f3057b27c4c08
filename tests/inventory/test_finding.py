"""Where a board is now: by serial number, by asking where that does not tell, and never by its path."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardLost, RigFault, UsageError
from harness.inventory import serial_ports
from harness.inventory.board import Board, Endpoint
from harness.inventory.finding import CannotBeFound, Finder, find_endpoint, open_sighted
from harness.inventory.leases import Leases
from harness.inventory.serial_ports import SerialPort
from tests.inventory.lamps import LAMP, Desk, lamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk with nothing on it, and leases of its own."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    made = Desk(profiles)
    yield made
    made.close()


# -- by serial number ---------------------------------------------------------------------------------------


def test_found_by_its_serial_number(desk: Desk) -> None:
    """Wherever it is plugged in and whatever its tty is called; the settings of its line stay."""
    desk.plug("1-1", "6")
    there = desk.plug("2-4", "7")

    sighting = desk.finder.look(lamp(), "console", returning=True)

    assert sighting.endpoint == Endpoint(role="console", url=there.path, baud=9600, interface=0)
    assert sighting.board.properties == {"usb_serial": "7", "usb_location": "2-4"}
    assert sighting.board.ports == {there.path: 0}
    assert sighting.port is None, "nobody was asked"


def test_interface_counts_and_not_the_order(desk: Desk) -> None:
    """Each endpoint is on its own USB interface; one whose port is not there yet is no other one."""
    board = replace(
        lamp(),
        endpoints={
            "console": Endpoint(role="console", url="/dev/ttyACM0"),
            "trace": Endpoint(role="trace", url="/dev/ttyACM1"),
        },
        ports={"/dev/ttyACM0": 0, "/dev/ttyACM1": 2},
    )
    desk.plug("1-1", "7", interfaces=(2,))
    with pytest.raises(BoardLost, match="no USB device with the serial number 7 is there"):
        desk.finder.look(board, "console", returning=True)
    half = desk.finder.look(board, "trace", returning=True)
    assert half.endpoint.url == desk.far["1-1:2"].path

    desk.plug("1-1", "7", interfaces=(0,))
    whole = desk.finder.look(half.board, "console", returning=True)

    assert whole.endpoint.url == desk.far["1-1:0"].path
    assert whole.board.endpoints["trace"].url == desk.far["1-1:2"].path


def test_stranger_with_its_serial_number_is_left_alone(desk: Desk) -> None:
    """What is of another kind is not our board, whatever number it shows."""
    other = desk.plug("1-1", "7", pid=2)

    with pytest.raises(BoardLost, match="no USB device with the serial number 7 is there"):
        desk.finder.look(replace(lamp(), identity="L7"), "console", returning=True)

    assert other.heard_nothing()


def test_rig_file_says_what_no_profile_knows(desk: Desk) -> None:
    """A board that only the rig file knows, by its serial number, is found by that; one without never is."""
    there = desk.plug("1-3", "7", pid=99)
    desk.plug("1-4", None, pid=99)

    named = lamp(kind_named=True)
    assert desk.finder.look(named, "console", returning=True).endpoint.url == there.path
    with pytest.raises(BoardLost, match="no USB device with the serial number 7 is there"):
        desk.finder.look(lamp(), "console", returning=True)
    with pytest.raises(BoardLost, match="no USB device like it is there"):
        desk.finder.look(lamp(serial=None, ambiguous=True, identity="L7"), "console", returning=True)
    assert desk.far["1-4:0"].heard_nothing()


def test_profiles_that_contradict_each_other_are_the_users_to_mend(desk: Desk, tmp_path: Path) -> None:
    """It is said which two fit alike, and nothing is opened."""
    (tmp_path / "profiles" / "lantern.toml").write_text(LAMP)
    there = desk.plug("1-1", "7")

    with pytest.raises(UsageError, match="profiles lamp and lantern fit"):
        desk.finder.look(lamp(), "console", returning=True)
    assert there.heard_nothing()


# -- by asking ----------------------------------------------------------------------------------------------


def test_told_apart_by_asking(desk: Desk) -> None:
    """Of two with one serial number the one that says so is ours; its port stays open."""
    desk.plug("1-1", "7", says="L8")
    there = desk.plug("1-2", "7", says="L7")

    sighting = desk.finder.look(lamp(ambiguous=True, identity="L7"), "console", returning=True)

    assert (sighting.endpoint.url, sighting.said) == (there.path, b"L7\r\nOK\r\n")
    assert sighting.board.properties["usb_location"] == "1-2"
    port = open_sighted(sighting, "again")
    assert port is sighting.port
    port.close()


def test_moved_board_is_asked_though_its_number_is_its_own(desk: Desk) -> None:
    """Whoever moved a cable may have plugged in another with the number; where it was it is believed."""
    desk.plug("1-2", "7", says="L8")
    with pytest.raises(BoardLost, match=r"it \(L7\) is not there: what is at 1-2 says that it is L8"):
        desk.finder.look(lamp(identity="L7"), "console", returning=True)

    desk.unplug("1-2")
    home = desk.plug("1-1", "7")
    assert desk.finder.look(lamp(identity="L7"), "console", returning=True).endpoint.url == home.path
    assert home.heard_nothing()


def test_doubted_board_is_asked_where_it_was(desk: Desk) -> None:
    """With its own serial number in its own place there may be another one: then it is not ours."""
    twin = desk.plug("1-1", "7", says="L8")
    with pytest.raises(BoardLost, match=r"it \(L7\) is not there: what is at 1-1 says that it is L8"):
        desk.finder.look(lamp(identity="L7"), "console", returning=True, doubted=True)
    assert twin.path == desk.finder.look(lamp(identity="L8"), "console", returning=True).endpoint.url

    desk.unplug("1-1")
    desk.plug("1-1", "7", says="L7")
    sighting = desk.finder.look(lamp(identity="L7"), "console", returning=True, doubted=True)
    assert sighting.asked
    open_sighted(sighting, "lamp").close()


def test_nobody_is_asked_when_nobody_needs_the_answer(desk: Desk) -> None:
    """A session that is interrupted does not wait for boards to say who they are."""
    there = desk.plug("1-1", "7", says="L7")
    enough = threading.Event()
    enough.set()

    with pytest.raises(BoardLost, match="nobody needs the answer"):
        Finder(desk.plugins, lambda: desk.ports, enough=enough).look(
            lamp(identity="L7"), "console", returning=True, doubted=True
        )
    assert there.heard_nothing()


def test_board_without_a_serial_number(desk: Desk) -> None:
    """It is found among those of its kind that have none either."""
    desk.plug("1-2", "7", says="L1")
    there = desk.plug("1-3", None, says="L1")

    sighting = desk.finder.look(lamp(serial=None, ambiguous=True, identity="L1"), "console", returning=True)

    assert sighting.endpoint.url == there.path
    open_sighted(sighting, "lamp").close()


def test_nobody_knows_how_to_ask(desk: Desk) -> None:
    """A board known by its place alone is opened where it was, and not looked for when it went away."""
    there = desk.plug("1-1", "7")
    board = lamp(ambiguous=True)

    assert desk.finder.look(board, "console").endpoint.url == there.path
    with pytest.raises(CannotBeFound, match="nobody knows how to ask it"):
        desk.finder.look(board, "console", returning=True)
    desk.unplug("1-1")
    desk.plug("1-2", "7")
    with pytest.raises(CannotBeFound):
        desk.finder.look(board, "console")


def test_who_said_that_it_is_another_is_not_asked_twice(desk: Desk) -> None:
    """It is not pestered as long as it stays plugged in; what is plugged in anew is asked anew."""
    asked: list[str] = []
    other = desk.plug("1-1", "7")
    other.answer(lambda line: asked.append(line.decode()) or b"L8\r\nOK\r\n")  # type: ignore[func-returns-value]
    board, finder = lamp(ambiguous=True, identity="L7"), desk.finder

    for _look in range(3):
        with pytest.raises(BoardLost, match="says that it is L8"):
            finder.look(board, "console", returning=True)
    assert asked == ["WHO"]
    desk.ports = [replace(port) for port in desk.ports]
    with pytest.raises(BoardLost, match="says that it is L8"):
        finder.look(board, "console", returning=True)
    assert asked == ["WHO", "WHO"]


def test_what_another_session_has_is_not_opened(desk: Desk) -> None:
    """A board like ours that somebody else has leased by its place is not asked; our own session's is."""
    there = desk.plug("1-2", "7", says="L7")
    board = lamp(ambiguous=True, identity="L7", confirmed=True)
    there_now = {"usb_serial": "7", "usb_location": "1-2"}
    candidate = replace(board, id="lamp@1-2", properties=there_now, confirmed=False)
    with Leases("theirs") as leases:
        leases.take([candidate], deadline=5)
        with pytest.raises(BoardLost, match="what is at 1-2 did not say who it is: it is leased by"):
            desk.finder.look(board, "console", returning=True)
    with Leases("ours") as leases:
        leases.take([board, candidate], deadline=5)
        sighting = desk.finder.look(board, "console", returning=True)

    assert sighting.endpoint.url == there.path
    open_sighted(sighting, "lamp").close()


def test_silent_and_foreign_boards(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer, or not in this dialect, is not ours; the message tells which is which."""
    monkeypatch.setattr("harness.inventory.finding.ASK_SECONDS", 0.2)
    desk.plug("1-1", "7")
    desk.plug("1-2", "7").answer(lambda _line: b"OK\r\n")

    with pytest.raises(BoardLost) as caught:
        desk.finder.look(lamp(ambiguous=True, identity="L7"), "console", returning=True)

    assert "what is at 1-1 did not say who it is" in str(caught.value)
    assert "what is at 1-2 does not speak its dialect" in str(caught.value)


def test_port_that_we_hold_says_where_the_board_is(desk: Desk) -> None:
    """While one endpoint is open the others are on the same device, and nobody has to be asked."""
    desk.plug("1-2", "7", says="L7", interfaces=(0, 2))
    board = replace(
        lamp(ambiguous=True, identity="L7"),
        endpoints={role: Endpoint(role=role, url=f"/dev/{role}") for role in ("console", "trace")},
        ports={"/dev/console": 0, "/dev/trace": 2},
    )
    ours, trace = desk.far["1-2:0"].path, desk.far["1-2:2"].path

    held = desk.finder.look(board, "trace", held=lambda: [ours], returning=True)
    asked = desk.finder.look(board, "trace", returning=True)

    assert (held.endpoint.url, held.port) == (trace, None)
    assert (asked.endpoint.url, asked.port) == (trace, None), "its console was asked, and closed again"


# -- where it was -------------------------------------------------------------------------------------------


def on_a_path(url: str, identity: str | None = None) -> Board:
    """A lamp of which a rig file gives the path of its port."""
    return lamp(
        endpoints={"console": Endpoint(role="console", url=url)}, ports={}, properties={}, identity=identity
    )


def test_plain_path_is_opened_as_it_is(desk: Desk) -> None:
    """Nothing else is known of such a board; when it went away its path alone does not say who is there."""
    board = on_a_path("/dev/ttyS0")

    assert desk.finder.look(board, "console").endpoint.url == "/dev/ttyS0"
    with pytest.raises(CannotBeFound, match="only its path says"):
        desk.finder.look(board, "console", returning=True)


def test_plain_path_of_a_board_that_says_who_it_is(desk: Desk, tmp_path: Path) -> None:
    """When the path is there again, what is there has to say that it is the board."""
    path = tmp_path / "lamp"
    board = on_a_path(str(path), identity="L7")
    with pytest.raises(BoardLost, match=r"there is no .*lamp"):
        desk.finder.look(board, "console", returning=True)

    path.symlink_to(desk.plug("1-1", "7", says="L8").path)
    with pytest.raises(BoardLost, match="lamp says that it is L8"):
        desk.finder.look(board, "console", returning=True)

    path.unlink()
    path.symlink_to(desk.plug("1-2", "7", says="L7").path)
    sighting = desk.finder.look(board, "console", returning=True)
    assert sighting.board == board
    assert sighting.said.endswith(b"L7\r\nOK\r\n")
    open_sighted(sighting, "lamp").close()


# -- opening and waiting ------------------------------------------------------------------------------------


def test_name_that_became_anothers_is_let_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and opening another board may get the name: then nothing is written to it."""
    desk.plug("1-1", "7")
    sighting = desk.finder.look(lamp(), "console", returning=True)
    (port,) = desk.ports
    monkeypatch.setattr(serial_ports, "port_at", lambda _device: replace(port, serial_number="9"))

    with pytest.raises(BoardLost, match="is another board's by now"):
        open_sighted(sighting, "lamp")

    monkeypatch.setattr(serial_ports, "port_at", lambda _device: port)
    open_sighted(sighting, "lamp").close()


def test_board_at_home_is_not_looked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that still is what it was is opened without listing all others."""
    port = SerialPort(device="/dev/ttyACM0", serial_number="7", location="1-1", interface=0)
    monkeypatch.setattr(serial_ports, "port_at", {"/dev/ttyACM0": port}.get)

    def list_all() -> list[SerialPort]:
        raise AssertionError("all ports were listed")

    board = lamp()
    assert Finder(desk.plugins, list_all).look(board, "console").board is board


def test_waiting_for_an_endpoint(desk: Desk) -> None:
    """Whoever waits gets it when the board is there, or hears at the deadline what was seen instead."""
    timer = threading.Timer(0.2, lambda: desk.plug("1-5", "7", says="L7"))
    timer.start()
    board = lamp(ambiguous=True, identity="L7")
    found = find_endpoint(
        board, "console", desk.plugins, deadline=time.monotonic() + 30, ports=lambda: desk.ports
    )
    timer.join()

    assert found.url == desk.far["1-5:0"].path
    desk.unplug("1-5")
    with pytest.raises(BoardLost, match="no USB device with the serial number 7 is there"):
        find_endpoint(
            board, "console", desk.plugins, deadline=time.monotonic() + 0.1, ports=lambda: desk.ports
        )
    desk.plug("1-6", "7")
    with pytest.raises(CannotBeFound):
        find_endpoint(
            lamp(ambiguous=True),
            "console",
            desk.plugins,
            deadline=time.monotonic() + 600,
            ports=lambda: desk.ports,
        )


def test_bench_that_is_gone(desk: Desk, tmp_path: Path) -> None:
    """A board of a bench that does not answer is the rig's fault."""
    with pytest.raises(RigFault, match="no bench answers"):
        desk.finder.look(lamp(bench=str(tmp_path / "bench")), "console")
