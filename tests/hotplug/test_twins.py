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
