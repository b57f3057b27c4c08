"""``harness boards``: what is found, shown and refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports
from harness.inventory.board import Board

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Port:
    """The console port of a board, as pyserial lists it."""

    device = "/dev/ttyACM7"
    vid = 0x1366
    pid = 0x1069
    serial_number = "001051200001"
    location = "1-1:1.0"
    product = "J-Link"


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """An nRF9151 DK on the host."""
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [Port()])


@pytest.fixture
def nothing_plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without any serial port."""
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)


@pytest.mark.usefixtures("plugged")
def test_attached_board_is_a_row(run: Callable[..., Any]) -> None:
    """Identity, kind, port and capabilities of a board are in one row."""
    outcome = run("boards")

    assert outcome.code == 0
    rows = [line.split() for line in outcome.out.splitlines()]
    assert rows[0] == ["id", "kind", "where", "endpoints", "capabilities"]
    assert rows[1][:5] == ["001051200001", "nrf9151dk", "attached", "console", "/dev/ttyACM7"]
    assert "attestation," in rows[1]


@pytest.mark.usefixtures("plugged")
def test_json_is_the_board(run: Callable[..., Any]) -> None:
    """A program gets everything that is known, and can make the board of it."""
    boards = [Board.from_json(data) for data in json.loads(run("boards", "--json").out)]

    assert [(board.id, board.endpoints["console"].url) for board in boards] == [
        ("001051200001", "/dev/ttyACM7")
    ]


@pytest.mark.usefixtures("nothing_plugged")
def test_no_board_says_what_was_looked_for(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a board, also in an empty directory, it says what was looked for, seen, and what to do."""
    monkeypatch.chdir(tmp_path)

    outcome = run("boards")

    assert outcome.code == 0
    assert (
        "Looked for: nRF9131 EK, nRF9151 DK, nRF9160 DK, nRF9161 DK, Thingy:91, Thingy:91 X." in outcome.out
    )
    assert "Serial ports seen: none." in outcome.out
    assert "harness bench up" in outcome.out
    assert list(tmp_path.iterdir()) == []


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
