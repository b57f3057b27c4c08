"""``harness rig``: checking a rig file, and printing its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.inventory import serial_ports

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


@pytest.fixture(autouse=True)
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without serial ports, and an empty directory to be in."""
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)
    monkeypatch.delenv("HARNESS_RIG", raising=False)
    monkeypatch.chdir(tmp_path)


def test_file_is_checked_and_its_boards_are_looked_for(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The documented example is well formed; of each board it is said whether it is here."""
    monkeypatch.syspath_prepend(EXAMPLES)  # where the plugin is that it names

    outcome = run("rig", "check", str(EXAMPLES / "rig/rig.toml"))

    assert (outcome.code, outcome.err) == (0, "")
    first, *boards = outcome.out.splitlines()
    assert first.endswith("rig.toml: rig left shelf, boards: 5")
    assert boards == [
        "cellar-1: nrf9161dk, console socket://192.0.2.10:2001",
        "gateway-1: guardian-gateway, ssh 192.0.2.12",
        "shelf-1: absent, no serial port has the USB serial number 001051200001",
        "000960012345: absent, no serial port has the USB serial number 000960012345",
        "shelf-2: absent, no serial port has the USB serial number 001050912345",
    ]


def test_file_of_the_directory_counts(run: Callable[..., Any], tmp_path: Path) -> None:
    """Without a name the file that counts here is checked."""
    (tmp_path / "rig.toml").write_text('name = "here"')

    assert "rig.toml: rig here, boards: 0" in run("rig", "check").out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "rig.toml: there is no such file here; expected a FILE"),
        ("nme = 3", "rig.toml: nme: unknown key; expected name (the nearest key)"),
        ('plugins = ["no_such_module"]', "plugins: cannot import: No module named 'no_such_module'"),
        (
            '[[board]]\nid = "b"\nprofile = "nrf9151d"\nendpoints.console = "/dev/x"',
            "board[0].profile: no such profile (got 'nrf9151d'); expected nrf9151dk",
        ),
    ],
)
def test_mistake_is_one_line(run: Callable[..., Any], tmp_path: Path, text: str | None, message: str) -> None:
    """What is wrong is said in one line, and is wrong use."""
    if text is not None:
        (tmp_path / "rig.toml").write_text(text)

    outcome = run("rig", "check")

    assert outcome.code == 4
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_schema_is_json(run: Callable[..., Any]) -> None:
    """What is printed is a schema and nothing else."""
    assert json.loads(run("rig", "schema").out)["title"] == "rig.toml of the provisioning harness"
