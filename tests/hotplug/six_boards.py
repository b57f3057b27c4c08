"""A suite on six boards whose tests pull cables, run by a session in the lab; not collected by itself.

Which cable a test pulls follows from its board: the session under test sees only what happens on USB. The
tests wait for each other, so that what has to happen first does, however slow the machine is.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.virtual.client import BenchClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness.virtual.client import VirtualBoardControls

HERE = Path(__file__).parent
SECONDS = 40.0


@pytest.fixture
def cable() -> Iterator[Callable[[str], VirtualBoardControls]]:
    """Take hold of a board's cable, by its name."""
    with BenchClient(os.environ["LAB"]) as client:
        yield client.board


def note(what: str) -> None:
    """Let the other tests know."""
    (HERE / what).touch()


def wait_for(what: str) -> None:
    """Wait until another test has noted something."""
    pause = threading.Event()
    for _ in range(int(SECONDS * 10)):
        if (HERE / what).exists():
            return
        pause.wait(0.1)
    raise TimeoutError(what)


@pytest.mark.board(each="board")
def test_cables(
    board: LeasedBoard, cable: Callable[[str], VirtualBoardControls], request: pytest.FixtureRequest
) -> None:
    """Each board's first test, in which something happens to its cable."""
    mode = board.driver.functional_mode()
    if board.id == "gone":  # unplugged for good, and the test ends before anybody has told the harness
        cable("gone").unplug()
        note("gone")
    elif board.id == "moved":  # replugged elsewhere, under the tty names of the one that is gone
        wait_for("gone")
        controls = cable("moved")
        controls.unplug()
        controls.plug("1-4.3", {"console": "ttyACM0"})
    elif board.id == "again":  # enumerates anew in mid-test
        cable("again").replug(names={"console": "ttyACM16", "trace": "ttyACM17"})
        assert board.driver.functional_mode() == mode
    elif board.id == "waits":  # whoever is here waits for a board that nobody knew
        cable("late").plug("1-2.4", {"console": "ttyACM18", "trace": "ttyACM19"})
        if hasattr(request.config, "workerinput"):
            wait_for("late")


@pytest.mark.board(each="board")
def test_afterwards(board: LeasedBoard) -> None:
    """Each board once more; the moved one answers where it is now."""
    assert board.driver.functional_mode() >= 0
    (HERE / f"console of {board.id}").write_text(board.description.endpoints["console"].url)


@pytest.mark.board(kind="nrf9160dk")
@pytest.mark.parametrize("number", range(6))
def test_one_of_two(board: LeasedBoard, number: int) -> None:
    """What the lost board does not run its equal does."""
    assert board.driver.functional_mode() >= 0
    assert number >= 0


@pytest.mark.board(kind="nrf9131ek")
@pytest.mark.parametrize("number", range(3))
def test_on_the_late_one(board: LeasedBoard, number: int) -> None:
    """Nobody fits it when the session begins."""
    assert board.driver.functional_mode() >= 0
    note("late")
    assert number >= 0


@pytest.mark.board(kind="thingy91")
def test_on_what_never_comes(board: LeasedBoard) -> None:
    """No board of this kind is ever there."""
    raise AssertionError(board.id)


@pytest.mark.parametrize("number", range(3))
def test_without_a_board(number: int) -> None:
    """Needs nothing."""
    assert number >= 0
