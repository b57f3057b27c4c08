"""``harness quarantine``: boards that sessions leave alone, by hand; and who else shows them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli.quarantine import parse_duration
from harness.doctor import quarantines as doctor
from harness.doctor.findings import Level
from harness.errors import UsageError
from harness.inventory import serial_ports
from harness.inventory.board import USB_SERIAL, Board
from harness.inventory.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BOARD = Board(id="001051200001", kind="nrf9151dk", driver="nrf91", properties={USB_SERIAL: "001051200001"})
PORT = serial_ports.SerialPort(
    device="/dev/null", vid=0x1366, pid=0x1069, serial_number="001051200001", location="1-1", interface=0
)
ADD = ("quarantine", "add", "001051200001", "--reason", "its antenna is loose")


@pytest.fixture(autouse=True)
def leases(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host with one board and leases of this test's own."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [PORT])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "leases"


def test_a_board_is_added_listed_and_lifted(run: Callable[..., Any]) -> None:
    """Until it is lifted everybody reads why; the list without a word is the same."""
    assert run("quarantine").out == run("quarantine", "list").out == "No board is quarantined.\n"

    added = run(*ADD, "--for", "7d")
    assert added.code == 0
    assert added.out.startswith("Board 001051200001 is quarantined until 20")
    assert added.out.endswith(": its antenna is loose\n")

    listed = run("quarantine", "list")
    assert listed.out == run("quarantine").out
    title, row = listed.out.splitlines()
    assert title.split() == ["board", "kind", "until", "since", "by", "reason"]
    assert row.startswith("001051200001  nrf9151dk  20")
    assert row.endswith(", by hand  its antenna is loose")
    (told,) = json.loads(run("quarantine", "list", "--json").out)
    assert (told["board"], told["reason"]) == ("001051200001", "its antenna is loose")

    lifted = run("quarantine", "lift", "001051200001")
    assert lifted.out.startswith("Board 001051200001 is free for sessions again.")
    assert run("quarantine").out == "No board is quarantined.\n"
    again = run("quarantine", "lift", "001051200001")
    assert again.code == 4
    assert "this board is not quarantined (got '001051200001'); expected none: no board is" in again.err


def test_one_without_an_end_is_told_so(run: Callable[..., Any]) -> None:
    """Somebody has to lift it; a wrong name is answered with those that there are."""
    run(*ADD, "--for", "forever")

    assert "  lifted  " in run("quarantine").out
    assert "expected 001051200001" in run("quarantine", "lift", "other").err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "nobody", "--reason", "x"), "no such board here (got 'nobody')"),
        (("add", "001051200001", "--reason", "  "), "--reason: says nothing"),
        (("add", "001051200001"), "--reason"),
        (
            (*ADD[1:], "--for", "soon"),
            "--for: not a time (got 'soon'); expected a number and s, min, h, d or w",
        ),
        (("list", "--bench", "virtual"), "--bench: which virtual bench?"),
    ],
)
def test_wrong_use_is_one_message(run: Callable[..., Any], arguments: tuple[str, ...], words: str) -> None:
    """With the option, what it got and what it takes."""
    outcome = run("quarantine", *arguments)

    assert (outcome.code, outcome.out) == (4, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_who_uses_the_board_now_is_told(run: Callable[..., Any]) -> None:
    """The session that has it keeps it until its end."""
    lease = Lease(BOARD, "run-7", deadline=0)
    try:
        assert "it is in use until its session ends: session run-7 of " in run(*ADD).err
    finally:
        lease.release()


def test_a_file_that_is_no_record_is_told(run: Callable[..., Any], leases: Path) -> None:
    """It keeps nobody from a board, though somebody may think so."""
    run(*ADD)
    next(leases.glob("*.quarantine")).write_text("?")

    outcome = run("quarantine")
    assert outcome.out == "No board is quarantined.\n"
    assert "WARNING: a quarantine cannot be read, and keeps nobody from a board: " in outcome.err
    (finding,) = doctor.judge(doctor.look())
    assert (finding.level, finding.what[:27]) == (Level.WARNING, "no record of a quarantine: ")


def test_the_list_of_boards_shows_it(run: Callable[..., Any]) -> None:
    """As its state while nobody holds it, and beside the holder else; and in JSON."""
    run(*ADD)

    assert "quarantined: its antenna is loose; until 20" in run("boards").out
    lease = Lease(BOARD, "run-7", deadline=0)
    (told,) = json.loads(run("boards", "--json").out)
    lease.release()
    assert (told["state"], told["quarantine"]["reason"]) == ("leased", "its antenna is loose")
    assert told["remark"].startswith("its antenna is loose; until 20")


def test_the_doctor_shows_it(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What everybody forgot is found again; what is not there, or cannot be looked at, is no finding."""
    assert [one.what for one in doctor.judge(doctor.look())] == ["no board is quarantined"]
    assert not (tmp_path / "leases").exists()
    run(*ADD)

    (finding,) = doctor.judge(doctor.look())
    assert finding.level is Level.WARNING
    assert finding.what.startswith("board 001051200001 is quarantined: its antenna is loose; until 20")
    assert finding.commands == ("harness quarantine lift 001051200001",)
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "file"))
    assert doctor.judge(doctor.look()) == []


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15min", timedelta(minutes=15)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("forever", None),
    ],
)
def test_durations(text: str, duration: timedelta | None) -> None:
    """A number with its unit."""
    assert parse_duration("--for", text) == duration


@pytest.mark.parametrize("text", ["", "0h", "24", "-1h", "1y", "1 h", "1234567s", "\u0664h"])
def test_what_is_no_duration(text: str) -> None:
    """It is refused; a bare number would be seconds to one and hours to another."""
    with pytest.raises(UsageError, match="--for: not a time"):
        parse_duration("--for", text)
