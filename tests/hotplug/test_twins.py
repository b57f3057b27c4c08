"""A session on two boards with one USB serial number: only asking tells which of them came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

SUITE = """
    import pytest
    from harness.virtual.client import BenchClient

    @pytest.mark.board(each="board")
    def test_swaps(board, cable):
        first = board.driver.imei
        if cable("a").state().properties["imei"] == board.id:
            a, b = cable("a"), cable("b")
            a.unplug()
            b.unplug()
            a.plug("1-2", {"console": "ttyACM2", "trace": "ttyACM3"})
            b.plug("1-1", {"console": "ttyACM0", "trace": "ttyACM1"})
            assert board.driver.functional_mode() >= 0

    @pytest.mark.board(each="board")
    def test_who(board):
        console = board.console
        from harness_nordic.driver_dialect import AtDialect
        reply = console.command("AT+CGSN", AtDialect("AT+CGSN"), timeout=5)
        assert board.id in "".join(reply.lines)
"""


def test_twins_that_are_swapped_in_mid_session(usb_lab: Lab, tmp_path: Path) -> None:
    """Each is itself again under the other's names, and its worker goes on with it."""
    for name, port in (("a", "1-1"), ("b", "1-2")):
        usb_lab.client.add("nrf9160dk-virtual", id=name, usb={"port": port, "serial": "000960000001"})

    ran = run(usb_lab, tmp_path, SUITE, "-n", "0", "--return-deadline", "20", "--reconnect", "15")

    assert ran.code == 0, ran.out
    assert "4 collected = 4 passed + 0 failed + 0 skipped + 0 not run" in ran.out
    assert ran.story.count(" is back after ") == 2


TWIN = """
    import pytest

    def test_1_goes(board, cable):
        cable("a").unplug()
        cable("b").plug("1-1")
        board.driver.functional_mode()

    def test_2_is_not_the_twin(board, cable):
        board.driver.functional_mode()

    @pytest.fixture
    def a_again(cable):
        cable("b").unplug()
        cable("a").plug("1-1")

    def test_3_is_itself_again(a_again, board, cable):
        assert board.driver.imei() == cable("a").state().properties["imei"]
"""


def test_twin_that_nobody_has_seen_takes_no_place(usb_lab: Lab, tmp_path: Path) -> None:
    """A board that comes back with the number and in the place of ours is asked before the next test."""
    for name in ("a", "b"):
        usb_lab.client.add(
            "nrf9160dk-virtual",
            id=name,
            usb={"port": "1-1", "serial": "000960000001", "plugged": name == "a"},
        )

    ran = run(usb_lab, tmp_path, TWIN, "-n", "0", "--return-deadline", "20", "--reconnect", "5")

    assert ran.outcomes["test_2_is_not_the_twin"] == "failed", ran.out
    assert ran.tests["test_2_is_not_the_twin"]["verdict"] == "rig"
    assert "says that it is" in ran.out
    assert ran.outcomes["test_3_is_itself_again"] == "passed", ran.out
