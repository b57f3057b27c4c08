"""Two boards with one serial number are swapped in mid-session: each test goes on with its own board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

SUITE = """
    import pathlib
    import pytest
    from harness.virtual.client import BenchClient

    HERE = pathlib.Path(__file__).parent

    def swap(cable):
        places = {name: cable(name).state() for name in "ab"}
        for name in "ab":
            cable(name).unplug()
        for name, other in ("ab", "ba"):
            there = places[other]
            cable(name).plug(there.usb["port"], {role: path.name for role, path in there.ports.items()})

    @pytest.mark.board(each="board")
    def test_swapped(board, cable, wait_for):
        imei = board.driver.imei()
        assert imei == board.id
        (HERE / f"open {imei}").touch()
        if cable("a").state().properties["imei"] == imei:
            wait_for("open " + cable("b").state().properties["imei"])
            before = board.console.url
            swap(cable)
            (HERE / "swapped").touch()
            assert board.driver.imei() == imei
            assert board.console.url != before
        else:
            wait_for("swapped")
            assert board.driver.imei() == imei

    @pytest.mark.board(each="board")
    def test_afterwards(board):
        assert board.driver.imei() == board.id
"""


def test_twins_that_are_swapped_in_mid_test(usb_lab: Lab, tmp_path: Path) -> None:
    """Their workers go on with them, and the session learns of both returns though the ports are in use."""
    for name, port in (("a", "1-1.1"), ("b", "1-1.2")):
        usb_lab.client.add("nrf9160dk-virtual", id=name, usb={"port": port, "serial": "000960000007"})
    imeis = [state.properties["imei"] for state in usb_lab.client.boards()]

    ran = run(usb_lab, tmp_path, SUITE, "-n", "auto")

    assert ran.code == 0, ran.out
    assert "4 collected = 4 passed + 0 failed + 0 skipped + 0 not run" in ran.out
    for imei in imeis:
        assert f"board {imei} went away" in ran.story
        assert f"board {imei} is back" in ran.story
    assert "left behind" not in ran.out
