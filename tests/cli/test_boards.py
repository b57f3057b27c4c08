"""``harness boards``: what is found, shown and refused."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from harness.inventory.board import Board
from harness.inventory.leases import Leases, lease_file
from harness.inventory.serial_ports import SerialPort
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Callable


#: The console port of a board.
PORT = SerialPort(
    device="/dev/ttyACM7",
    vid=0x1366,
    pid=0x1069,
    serial_number="001051200001",
    location="1-1",
    interface=0,
    product="J-Link",
)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """An nRF9151 DK on the host."""
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [PORT])


@pytest.fixture
def nothing_plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without any serial port."""
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)


@pytest.fixture(autouse=True)
def own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of these tests only, and no rig file of this machine's."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.delenv("HARNESS_RIG", raising=False)


def rows(text: str) -> list[list[str]]:
    """The table's cells; what stands below another line's cells is left out."""
    return [line.split() for line in text.splitlines()]


@pytest.mark.usefixtures("plugged")
def test_attached_board_is_a_row(run: Callable[..., Any]) -> None:
    """Identity, kind, port and state of a board are in one row."""
    outcome = run("boards")

    assert outcome.code == 0
    assert rows(outcome.out) == [
        ["board", "kind", "identity", "where", "ports", "holder", "state"],
        ["001051200001", "nrf9151dk", "1-1", "console", "/dev/ttyACM7", "free"],
    ]


@pytest.mark.usefixtures("plugged")
def test_holder_of_a_board_is_shown(run: Callable[..., Any], tmp_path: Path) -> None:
    """Who holds a board, in which session, for which test and since when: for people and for programs."""
    rig = tmp_path / "rig.toml"
    rig.write_text('[[board]]\nid = "desk-1"\nusb_serial = "001051200001"\n')
    board = Board(id="001051200001", kind="nrf9151dk", driver="nrf91")

    with Leases("run-7") as leases:
        leases.take([board], deadline=0)
        leases.note_test(board.id, "test_x.py::test_y")
        shown = run("boards", "--rig", str(rig))
        (told,) = json.loads(run("boards", "--rig", str(rig), "--json").out)

    assert "session run-7" in shown.out
    assert "test_x.py::test_y" in shown.out
    assert rows(shown.out)[1][-1] == "leased"
    assert set(told) == {
        "board",
        "kind",
        "identity",
        "confirmed",
        "location",
        "ports",
        "holder",
        "state",
        "remark",
        "quarantine",
    }
    assert (told["board"], told["kind"], told["state"]) == ("desk-1", "nrf9151dk", "leased")
    assert told["ports"] == {"console": "/dev/ttyACM7"}
    assert told["holder"]["session"] == "run-7"
    assert told["holder"]["test"] == "test_x.py::test_y"
    assert {"user", "pid", "since"} < set(told["holder"])


@pytest.mark.usefixtures("nothing_plugged")
def test_boards_that_are_not_there(run: Callable[..., Any], tmp_path: Path) -> None:
    """A board of the rig file is absent; and lost, if somebody holds it."""
    rig = tmp_path / "rig.toml"
    rig.write_text('[[board]]\nusb_serial = "77"\nprofile = "nrf9160dk"\n')

    def state() -> str:
        (board,) = json.loads(run("boards", "--rig", str(rig), "--json").out)
        assert f"{board['state']}: no serial port has the USB serial number 77" in (
            run("boards", "--rig", str(rig)).out
        )
        return str(board["state"])

    assert state() == "absent"
    with Leases("run-7") as leases:
        leases.take([Board(id="77", kind="nrf9160dk", driver="nrf91")], deadline=0)
        assert state() == "lost"


@pytest.mark.usefixtures("plugged")
def test_lease_that_cannot_be_read_hides_no_board(run: Callable[..., Any], tmp_path: Path) -> None:
    """The list is still there, and says of that board that its holder is unknown, and why."""
    lease_file(Board(id="001051200001", kind="nrf9151dk", driver="nrf91")).mkdir()

    outcome = run("boards")

    assert outcome.code == 0
    assert "unknown: the lease of board 001051200001 cannot be read" in outcome.out
    assert json.loads(run("boards", "--json").out)[0]["state"] == "unknown"


def test_ports_of_nobody_are_listed_below(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that no profile fits is shown with what is known of it."""
    strange = replace(PORT, serial_number="0099")
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [strange])

    outcome = run("boards")

    assert "Serial ports that belong to no board:" in outcome.out
    assert (
        "  /dev/ttyACM7 (1366:1069 0099 J-Link): its serial number begins as that of none of" in outcome.out
    )


@pytest.mark.usefixtures("nothing_plugged")
def test_no_board_says_what_was_looked_for(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a board, also in an empty directory, it says what was looked for, seen, and what to do."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)

    outcome = run("boards")

    assert outcome.code == 0
    assert "  nRF9151 DK (USB 1366:* with serial number 0010512... or 0010520...)" in outcome.out
    assert "Saw no serial port." in outcome.out
    assert "harness bench up" in outcome.out
    assert list(empty.iterdir()) == []


@pytest.mark.usefixtures("nothing_plugged")
def test_no_board_is_an_empty_list_for_programs(run: Callable[..., Any]) -> None:
    """A program gets an empty list, not a text."""
    assert json.loads(run("boards", "--json").out) == []


@pytest.mark.parametrize(
    ("bench", "message"),
    [
        ("virtual", "which virtual bench? (got 'virtual'); expected virtual=SOCKET"),
        ("hardware", "no such bench (got 'hardware'); expected virtual, virtual=SOCKET or attached"),
    ],
)
def test_wrong_bench_is_refused(run: Callable[..., Any], bench: str, message: str) -> None:
    """A bench that cannot be asked is a usage error."""
    outcome = run("boards", "--bench", bench)

    assert outcome.code == 4
    assert message in outcome.err


def test_bench_that_does_not_run_is_a_failure(run: Callable[..., Any], tmp_path: Path) -> None:
    """A socket on which nobody listens is a failed rig, in one line."""
    outcome = run("boards", "--bench", f"virtual={tmp_path / 'gone.sock'}")

    assert outcome.code == 1
    assert "gone.sock" in outcome.err
    assert outcome.err.count("\n") == 1


def test_boards_of_a_virtual_bench(run: Callable[..., Any], tmp_path: Path) -> None:
    """A board that is unplugged is absent, and lost to whoever holds it."""
    directory = Path(tempfile.mkdtemp(prefix="hb"))
    try:
        with (
            start_bench(
                directory / "b", [("nrf9161dk-virtual", "one", {}), ("nrf9161dk-virtual", "two", {})]
            ) as it,
            BenchClient(it.socket) as client,
            Leases("run-7") as leases,
        ):
            bench = ("--bench", f"virtual={it.socket}")
            found = {data["board"]: data for data in json.loads(run("boards", *bench, "--json").out)}
            assert {name: data["state"] for name, data in found.items()} == {"one": "free", "two": "free"}
            assert set(found["one"]["ports"]) == {"console", "trace"}

            leases.take(
                [Board(id="two", kind="nrf9161dk-virtual", driver="nrf91", bench=str(it.socket))], deadline=0
            )
            client.board("one").unplug()
            client.board("two").unplug()
            states = {
                data["board"]: data["state"] for data in json.loads(run("boards", *bench, "--json").out)
            }
            table = run("boards", *bench).out
    finally:
        shutil.rmtree(directory)

    assert states == {"one": "absent", "two": "lost"}
    assert "lost: it is unplugged" in table
