"""An attached board that is silent when the session begins: its rig file has a switch, and it is used."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

SUITE = """
    def test_asks(board):
        assert board.driver.imei()
"""


def test_its_power_is_cycled_and_it_is_used(usb_lab: Lab, tmp_path: Path) -> None:
    """By the commands of the rig file; the terminal and the header say so, and the test passes."""
    board = usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1", "serial": "000960000001"})
    usb_lab.client.board(board.id).hang("power")
    switch = [sys.executable, "-m", "harness.cli", "bench", "power", "a"]
    commands = {
        what: json.dumps([*switch, what, "--bench", str(usb_lab.bench.socket)]) for what in ("on", "off")
    }
    (tmp_path / "rig.toml").write_text(
        '[[board]]\nid = "desk"\nusb_serial = "000960000001"\n[board.control.power_by_command]\n'
        + "".join(f"{what} = {command}\n" for what, command in commands.items()),
        encoding="utf-8",
    )

    ran = run(usb_lab, tmp_path, SUITE, "-n", "0")

    assert ran.code == 0, ran.out
    assert ran.outcomes == {"test_asks": "passed"}
    assert "harness: board desk did not answer, and was brought back by a power cycle" in ran.out
    assert usb_lab.client.board("a").state().hung is None
