"""Sessions that are interrupted from the keyboard while their boards are away."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

# Of two boards both are gone when the first test has failed; the controller is interrupted then.
WAITS_FOR_ITS_BOARDS = """
    import pytest

    @pytest.mark.board(each="board")
    def test_pulls(board, cable):
        board.driver.functional_mode()
        cable("ab"[int(board.id[-1]) - 1]).unplug()

    @pytest.mark.parametrize("number", range(2))
    def test_waits(board, number): ...
"""
INTERRUPTS = """
    import os, signal

    class Controller:
        failed = 0

        def pytest_runtest_logreport(self, report):
            self.failed += report.failed
            if report.failed and self.failed == 2:
                os.kill(os.getpid(), signal.SIGINT)

    def pytest_configure(config):
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Controller())
"""


def test_with_workers_that_wait(usb_lab: Lab, tmp_path: Path) -> None:
    """Each worker ends by itself, and is not killed; losses and accounts are told."""
    for number, name in enumerate("ab", 1):
        usb_lab.client.add("nrf9160dk-virtual", id=name, usb={"serial": f"00096000000{number}"})
    (tmp_path / "interrupts.py").write_text(textwrap.dedent(INTERRUPTS), encoding="utf-8")

    ran = run(usb_lab, tmp_path, WAITS_FOR_ITS_BOARDS, "-n", "auto", "--reconnect", "0.2", "-p", "interrupts")

    assert ran.code == 2
    assert sorted(ran.outcomes) == ["test_pulls[000960000001]", "test_pulls[000960000002]"]
    assert "4 collected = 0 passed + 2 failed + 0 skipped + 2 not run" in ran.out
    for board in ("000960000001", "000960000002"):
        assert f"board {board} went away: " in ran.story
        assert (tmp_path / f"ended {board}").exists(), "its worker was killed"


PULLS_AND_INTERRUPTS = """
    import os, signal, threading

    def test_pulls(board, cable, pytestconfig):
        cable("a").unplug()
        loop, pause = pytestconfig.pluginmanager.get_plugin("harness-loop"), threading.Event()
        for _ in range(300):
            if not loop._events.empty():
                break
            pause.wait(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    def test_next(board): ...
"""


def test_without_workers_in_the_test_that_lost_its_board(usb_lab: Lab, tmp_path: Path) -> None:
    """The loss is told although no test follows before which it would have been."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"serial": "000960000001"})

    ran = run(usb_lab, tmp_path, PULLS_AND_INTERRUPTS, "-n", "0")

    assert ran.code == 2
    assert ran.story.count("board 000960000001 went away: /dev/ttyACM") == 1
    assert "2 collected = 0 passed + 0 failed + 0 skipped + 2 not run" in ran.out
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["tests"] == []
