"""Sessions that lose boards: what was running, what was to come, and who takes it over."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

GONE_FOR_GOOD = """
    import pytest

    @pytest.fixture(scope="module")
    def thing():
        yield
        raise RuntimeError("the thing broke")

    def test_pulls(board, thing, cable):
        cable("a").unplug()

    def test_next(board, thing): ...
    def test_last(board): ...
"""


@pytest.mark.parametrize("workers", ["1", "0"])
def test_the_only_board_is_gone_for_good(usb_lab: Lab, tmp_path: Path, workers: str) -> None:
    """Its tests are reported once; a fixture that breaks when it is taken down late is reported, too."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1", "serial": "000960000001"})

    options = ("-n", workers, "--return-deadline", "1", "--reconnect", "0.2", "--alluredir", "allure")
    ran = run(usb_lab, tmp_path, GONE_FOR_GOOD, *options)

    assert ran.code == 1
    assert ran.outcomes == {"test_pulls": "failed", "test_next": "failed", "test_last": "failed"}
    assert {test["verdict"] for test in ran.tests.values()} == {"rig"}
    assert "3 collected = 0 passed + 3 failed + 0 skipped + 0 not run" in ran.out
    assert ran.tests["test_last"]["reason"].startswith("not run: board 000960000001 went away at ")
    assert "ERROR test_it.py::test_pulls - RuntimeError: the thing broke" in ran.out
    assert (tmp_path / "lost").exists(), "plugins were told of no loss"
    told = (tmp_path / "lost").read_text(encoding="utf-8").splitlines()
    assert told == ["000960000001"] * (2 if workers == "1" else 1), "in the controller, and in the worker"
    results = [json.loads(file.read_text("utf-8")) for file in (tmp_path / "allure").glob("*-result.json")]
    names = sorted(result["name"] for result in results)
    assert names == ["test_last", "test_next", "test_pulls", "test_pulls"], "one more for the late tear-down"


COMES_BACK = """
    import os, threading
    from harness.virtual.client import BenchClient

    def replug():
        with BenchClient(os.environ["LAB"]) as client:
            client.board("a").plug("1-3", {"console": "ttyACM7", "trace": "ttyACM8"})

    def test_pulls(board, cable):
        board.driver.functional_mode()
        cable("a").unplug()
        threading.Timer(1.5, replug).start()

    def test_next(board):
        assert board.driver.functional_mode() >= 0

    def test_last(board):
        assert board.console.url == "/dev/ttyACM7"
"""


@pytest.mark.parametrize("workers", ["1", "0"])
def test_the_only_board_comes_back(usb_lab: Lab, tmp_path: Path, workers: str) -> None:
    """Its other tests wait for it and run, where it is then."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1", "serial": "000960000001"})

    ran = run(usb_lab, tmp_path, COMES_BACK, "-n", workers, "--reconnect", "0.2")

    assert ran.outcomes == {"test_pulls": "failed", "test_next": "passed", "test_last": "passed"}
    assert ran.tests["test_pulls"]["verdict"] == "rig"
    assert "board 000960000001 is back after " in ran.story
    assert "tests wait up to 60 s" in ran.story


EQUAL_HAS_ENDED = """
    import pathlib

    def test_pulls(board, cable, wait_for):
        mine, other = sorted(["000960000001", "000960000002"], key=lambda serial: serial != board.id)
        pulled = pathlib.Path("pulled")
        if not pulled.exists():
            pulled.touch()
            wait_for(f"ended {other}")
            cable("ab"[int(mine[-1]) - 1]).unplug()

    def test_quick(board): ...
"""


def test_an_equal_whose_worker_has_ended_gets_another(usb_lab: Lab, tmp_path: Path) -> None:
    """What failed by the rig on a lost board is run once more by its equal, in a new worker."""
    for name in "ab":
        serial = f"00096000000{'ab'.index(name) + 1}"
        usb_lab.client.add("nrf9160dk-virtual", id=name, usb={"serial": serial})

    ran = run(usb_lab, tmp_path, EQUAL_HAS_ENDED, "-n", "auto", "--reconnect", "0.2", "--rig-retries", "1")

    assert ran.outcomes == {"test_pulls": "passed", "test_quick": "passed"}
    assert "2 collected = 2 passed + 0 failed + 0 skipped + 0 not run" in ran.out
    assert ran.tests["test_pulls"]["worker"] == "gw2"


LATE_AND_BUSY = """
    import threading
    import pytest

    def test_plugs_one_that_others_hold(board, cable, pytestconfig):
        cable("late").plug()
        loop, pause = pytestconfig.pluginmanager.get_plugin("harness-loop"), threading.Event()
        for _ in range(300):
            if not loop._events.empty():
                break
            pause.wait(0.1)

    @pytest.mark.board(kind="nrf9161dk")
    def test_on_it(board): ...
"""


def test_a_late_board_that_somebody_else_holds(usb_lab: Lab, tmp_path: Path) -> None:
    """It is left alone, which is said; with --strict-boards a test for it fails."""
    usb_lab.client.add("nrf9160dk-virtual", id="a", usb={"serial": "000960000001"})
    usb_lab.client.add("nrf9161dk-virtual", id="late", usb={"serial": "001050900004"})
    lease = [sys.executable, "-m", "harness.cli", "lease", "001050900004"]
    with usb_lab.open(lease, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as holding:
        try:
            assert "001050900004" in holding.stdout.readline()
            usb_lab.client.board("late").unplug()
            ran = run(usb_lab, tmp_path, LATE_AND_BUSY, "--late-boards", "--strict-boards")
        finally:
            holding.terminate()

    assert ran.outcomes == {"test_plugs_one_that_others_hold": "passed", "test_on_it": "failed"}
    assert "no board fits: needed a board of kind nrf9161dk" in ran.tests["test_on_it"]["reason"]
    assert "board 001050900004 was plugged in and is not used: board 001050900004 " in ran.story
    assert "is leased by session" in ran.story
