"""Tests of several boards with a worker for each, whose borrowed boards move or are gone for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.hotplug.sessions import run

if TYPE_CHECKING:
    from pathlib import Path

Lab = Any

SUITE = """
    import pytest
    from harness.pytest_plugin.state import SESSION_KEY

    together = pytest.mark.keep_together("in order")

    @pytest.fixture
    def borrowed(boards, request):
        own = {board.id for board in request.config.stash[SESSION_KEY].own_boards}
        return [board for board in boards if board.id not in own]

    @together
    @pytest.mark.board(count=3)
    def test_1_one_moves(boards, borrowed, cable):
        for board in boards:
            assert board.driver.functional_mode() >= 0
        moved, _ = borrowed
        names = {"console": "ttyACM8", "trace": "ttyACM9"}
        cable("abc"[int(moved.id[-1]) - 1]).replug(port="1-4", names=names)
        assert moved.driver.functional_mode() >= 0
        assert moved.console.url == "/dev/ttyACM8"
        print("MOVED", moved.id)

    @together
    @pytest.mark.board(count=3)
    def test_2_all_again(boards):
        assert sum(board.console.url == "/dev/ttyACM8" for board in boards) == 1

    @together
    @pytest.mark.board(count=3)
    def test_3_one_goes(boards, borrowed, cable):
        gone = borrowed[1]
        assert gone.driver.functional_mode() >= 0
        cable("abc"[int(gone.id[-1]) - 1]).unplug()

    @together
    @pytest.mark.board(count=3)
    def test_4_three_are_not(boards): ...

    @pytest.mark.board(count=2)
    def test_any_two(boards):
        for board in boards:
            assert board.driver.functional_mode() >= 0

    @pytest.mark.board(each="board")
    def test_each(board):
        assert board.driver.functional_mode() >= 0
    """


def test_borrowed_boards_that_move_or_go(usb_lab: Lab, tmp_path: Path) -> None:
    """One that moves is found by who borrowed it and by its owner; one that is gone is missed by all."""
    for number, name in enumerate("abc", 1):
        usb_lab.client.add(
            "nrf9160dk-virtual", id=name, usb={"port": f"1-{number}", "serial": f"00096000000{number}"}
        )

    ran = run(
        usb_lab,
        tmp_path,
        SUITE,
        "-n",
        "auto",
        *("--return-deadline", "1", "--reconnect", "10", "--test-deadline", "60"),
    )

    assert ran.code == 1
    outcomes = {name: outcome for name, outcome in ran.outcomes.items() if not name.startswith("test_each")}
    assert outcomes == {
        "test_1_one_moves": "passed",
        "test_2_all_again": "passed",
        "test_3_one_goes": "failed",
        "test_4_three_are_not": "failed",
        "test_any_two": "passed",
    }, ran.out
    assert {ran.tests[name]["verdict"] for name in ("test_3_one_goes", "test_4_three_are_not")} == {"rig"}
    assert ran.tests["test_4_three_are_not"]["reason"].startswith("not run: board 00096000000")
    (moved,) = (line.split()[1] for line in ran.out.splitlines() if line.startswith("MOVED "))
    assert ran.outcomes[f"test_each[{moved}]"] == "passed"
    assert "8 collected = " in ran.out
    assert " + 0 not run" in ran.out
    boards = [board["id"] for board in ran.tests["test_3_one_goes"]["boards"]]
    assert boards == ["000960000001", "000960000002", "000960000003"]
    assert "it was in test_it.py::test_3_one_goes" in ran.story
