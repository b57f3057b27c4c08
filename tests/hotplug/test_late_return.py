"""A board that comes back when nobody waits for it any more is used all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

SUITE = """
    import pathlib
    import pytest

    HERE = pathlib.Path(__file__).parent

    @pytest.mark.board(each="board")
    def test_first(board, cable, wait_for):
        if board.id == "000960000001":
            board.driver.functional_mode()
            cable("a").unplug()
        else:
            wait_for("ended 000960000001")
            (HERE / "ended 000960000001").unlink()
            cable("a").plug("2-1")
            wait_for("used again")

    @pytest.mark.board(each="board")
    def test_second(board): ...

    @pytest.mark.parametrize("number", range(4))
    def test_either(board, number):
        if (HERE / "ended 000960000001").exists() or board.id == "000960000001":
            assert board.driver.functional_mode() >= 0
            (HERE / "used again").touch()
"""


def test_a_board_that_returns_after_its_deadline(usb_lab: Lab, tmp_path: Path) -> None:
    """Its worker has ended by then: a new one takes its place, and puts the board back first."""
    for name in "ab":
        serial = f"00096000000{'ab'.index(name) + 1}"
        usb_lab.client.add("nrf9160dk-virtual", id=name, usb={"serial": serial})

    ran = run(usb_lab, tmp_path, SUITE, "-n", "auto", "--reconnect", "0.2", "--return-deadline", "0.5")

    outcomes = ran.outcomes
    assert outcomes.pop("test_first[000960000001]") == "failed"
    assert outcomes.pop("test_second[000960000001]") == "failed"
    assert set(outcomes.values()) == {"passed"}, ran.out
    assert "8 collected = 6 passed + 2 failed + 0 skipped + 0 not run" in ran.out
    assert "did not come back within 0.5 s" in ran.tests["test_second[000960000001]"]["reason"]
    assert "board 000960000001 is back" in ran.story
    used = {test["worker"]: test["boards"][0]["id"] for test in ran.tests.values() if test["worker"]}
    assert used["gw2"] == "000960000001"
