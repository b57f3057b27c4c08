"""``harness boards --ask`` and ``--write``: which boards are asked, what follows, and what is left out."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from harness.inventory.board import Board
from harness.inventory.leases import Leases
from harness.inventory.serial_ports import SerialPort

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Run = Any


def port(device: str, serial: str | None, location: str, *, interface: int = 0, vid: int = 1) -> SerialPort:
    """A port of a toy; with ``vid`` 2 of a kind that nobody knows how to ask."""
    return SerialPort(
        device=device, vid=vid, pid=1, serial_number=serial, location=location, interface=interface
    )


class Host:
    """What is plugged in, and what it says."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = directory / "rig.toml"
        self._answers = directory / "answers.json"
        self.ports: list[SerialPort] = []
        monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: self.ports)

    def has(self, *ports: SerialPort, **answers: str) -> None:
        """Plug in; answers by the ends of ports' paths."""
        self.ports = list(ports)
        self._answers.write_text(json.dumps({f"/dev/{name}": said for name, said in answers.items()}))

    def entries(self) -> list[dict[str, Any]]:
        """The boards of the rig file."""
        boards: list[dict[str, Any]] = tomllib.loads(self.file.read_text())["board"]
        return boards


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host of its own."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.cli.answering_boards")
    monkeypatch.setenv("TOYS", str(tmp_path))
    monkeypatch.delenv("HARNESS_RIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return Host(tmp_path, monkeypatch)


def shown(run: Callable[..., Run], *options: str) -> dict[str, dict[str, Any]]:
    """What is shown to programs, by board."""
    outcome = run("boards", "--json", *options)
    assert outcome.code == 0, outcome.err
    return {board["board"]: board for board in json.loads(outcome.out)}


def test_twins_are_told_apart_by_asking(run: Callable[..., Run], host: Host) -> None:
    """Two probes with one serial number are provisional until they are asked; then they are who they say."""
    host.has(port("/dev/A", "77", "1-1"), port("/dev/B", "77", "1-2"), A="anna", B="bert")

    before = shown(run)
    asked = run("boards", "--ask")
    after = shown(run, "--ask")

    assert {name: board["remark"] for name, board in before.items()} == {
        "77@1-1": "only asking tells who it is (--ask)",
        "77@1-2": "only asking tells who it is (--ask)",
    }
    assert asked.err.splitlines() == [
        f"harness: the board at {place} was told apart by asking:"
        f" it is {name} (its USB serial number 77 is not unique)"
        for place, name in (("1-1", "anna"), ("1-2", "bert"))
    ]
    assert {name: board["identity"] for name, board in after.items()} == {"anna": "anna", "bert": "bert"}
    assert {board["remark"] for board in after.values()} == {None}


def test_swapped_twins_are_found_in_the_file(run: Callable[..., Run], host: Host) -> None:
    """After a swap each is shown under its own name, and its entry gets the new place."""
    host.has(port("/dev/A", "77", "1-1"), port("/dev/B", "77", "1-2"), A="anna", B="bert")
    assert run("boards", "--write", "rig.toml").code == 0
    host.has(port("/dev/A", "77", "1-1"), port("/dev/B", "77", "1-2"), A="bert", B="anna")

    now = shown(run, "--ask")
    written = run("boards", "--write", "rig.toml")

    assert {name: board["location"] for name, board in now.items()} == {"anna": "1-2", "bert": "1-1"}
    assert all(board["confirmed"] for board in now.values())
    assert written.out.splitlines() == ["anna: changed: location", "bert: changed: location"]
    assert [(entry["identity"], entry["location"]) for entry in host.entries()] == [
        ("anna", "1-2"),
        ("bert", "1-1"),
    ]


def test_dry_run_shows_the_difference_and_writes_nothing(run: Callable[..., Run], host: Host) -> None:
    """What would change is shown as diff does; the file is as it was, or is not there."""
    host.has(port("/dev/A", "1", "1-1"), A="anna")

    outcome = run("boards", "--write", "rig.toml", "--dry-run")

    assert outcome.code == 0
    assert outcome.out.startswith("--- rig.toml\n+++ rig.toml\n@@ -0,0 +1,8 @@\n+# What is attached")
    assert '+identity = "anna"\n' in outcome.out
    assert "rig.toml is not written (--dry-run)" in outcome.err
    assert not host.file.exists()


def test_silent_board_is_written_by_its_number(run: Callable[..., Run], host: Host) -> None:
    """A board that does not answer is known by a serial number that is its own, and that is said."""
    host.has(port("/dev/A", "1", "1-1"))

    listed = shown(run, "--ask")
    written = run("boards", "--write", "rig.toml")

    assert listed["1"]["state"] == "unknown"
    assert listed["1"]["remark"] == "it did not say who it is: /dev/A keeps silent"
    assert written.code == 0
    assert "board 1 is written by its USB serial number alone: it did not say who it is" in written.err
    assert host.entries() == [{"profile": "toy", "usb_serial": "1", "location": "1-1"}]


def test_what_cannot_be_told_apart_is_left_out(run: Callable[..., Run], host: Host) -> None:
    """A silent twin, and two boards that say the same, are not written; the others are, and the end is 1."""
    host.has(
        port("/dev/A", "77", "1-1"),
        port("/dev/B", "77", "1-2"),
        port("/dev/C", "3", "1-3"),
        port("/dev/D", "4", "1-4"),
        A="anna",
        C="carl",
        D="carl",
    )

    outcome = run("boards", "--write", "rig.toml")

    assert outcome.code == 1
    assert [entry.get("identity") for entry in host.entries()] == ["anna"]
    assert "board 77@1-2 is not written: it did not say who it is: /dev/B keeps silent" in outcome.err
    assert "board 3 is not written: it says that it is carl, and so does another board" in outcome.err


def test_leased_board_is_not_asked(run: Callable[..., Run], host: Host) -> None:
    """A port that another session may use is not opened; a board that only asking tells is left out then."""
    host.has(
        port("/dev/A", "1", "1-1"), port("/dev/B", "77", "1-2"), port("/dev/C", "77", "1-3"), A="x", C="c"
    )
    held = [
        Board(id="1", kind="toy", driver="toy"),
        Board(
            id="b",
            kind="toy",
            driver="toy",
            ambiguous=True,
            properties={"usb_serial": "77", "usb_location": "1-2"},
        ),
    ]

    with Leases("run-7") as leases:
        leases.take(held, deadline=0)
        listed = shown(run, "--ask")
        written = run("boards", "--write", "rig.toml")

    assert (listed["1"]["state"], listed["1"]["identity"]) == ("leased", None)
    assert written.code == 1
    assert (
        "board 1 is written by its USB serial number alone: it was not asked: board 1 is leased"
        in written.err
    )
    assert "board 77@1-2 is not written: it was not asked" in written.err
    assert [entry.get("identity") for entry in host.entries()] == [None, "c"]


def test_console_elsewhere_is_written(run: Callable[..., Run], host: Host) -> None:
    """A board that answers on another interface than its profile says is described so, and found so."""
    host.has(port("/dev/A", "1", "1-1"), port("/dev/B", "1", "1-1", interface=2), B="anna")

    assert run("boards", "--write", "rig.toml").code == 0

    assert host.entries()[0]["endpoints"] == {"console": {"interface": 2}}
    assert shown(run)["1"]["ports"] == {"console": "/dev/B"}


def test_boards_that_only_their_place_tells(run: Callable[..., Run], host: Host) -> None:
    """Boards without a number that nobody can ask are written with their places, and that is said."""
    host.has(port("/dev/A", None, "1-1", vid=2))

    outcome = run("boards", "--write", "rig.toml")

    assert outcome.code == 0
    assert host.entries() == [{"id": "mute@1-1", "profile": "mute", "location": "1-1"}]
    assert "is known by its place alone: it has no USB serial number" in outcome.err


def test_nothing_plugged_in_writes_nothing(run: Callable[..., Run], host: Host) -> None:
    """Without a board there is no file; one that is there stays as it is."""
    host.has()

    assert "no board was found; rig.toml is not written" in run("boards", "--write", "rig.toml").err
    assert not host.file.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dry-run"], "--dry-run: says what --write would do; expected --write FILE"),
        (["--watch", "--json"], "--watch: does not go together with --json"),
        (["--ask", "--write", "x.toml"], "--ask: does not go together with --write"),
        (["--write", "x.toml", "--bench", "virtual=/x"], "--bench: a rig file describes hardware"),
        (
            ["--write", "x.toml", "--rig", "y.toml"],
            "--rig: the file that is written is the rig file that",
        ),
        (["--write", "nowhere/x.toml"], "nowhere/x.toml: cannot be written: No such file or directory"),
    ],
)
def test_wrong_use_is_one_line(run: Callable[..., Run], host: Host, options: list[str], message: str) -> None:
    """What does not go together is refused before anything is asked."""
    host.has(port("/dev/A", "1", "1-1"), A="anna")

    outcome = run("boards", *options)

    assert outcome.code == 4
    assert message in outcome.err.splitlines()[-1]


def test_file_that_does_not_load_is_not_touched(run: Callable[..., Run], host: Host) -> None:
    """A mistake in the file is shown before anything is asked or written."""
    host.has(port("/dev/A", "1", "1-1"), A="anna")
    host.file.write_text("nam = 'x'\n")

    outcome = run("boards", "--write", "rig.toml")

    assert outcome.code == 4
    assert "nam: unknown key; expected name" in outcome.err
    assert host.file.read_text() == "nam = 'x'\n"
