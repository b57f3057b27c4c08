"""Whoever claims a turn first has it: the worker that begins a test, or the controller that revokes it."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.turns import Turns

if TYPE_CHECKING:
    from pathlib import Path

TURNS = 300


def _claim_all(directory: Path, order: int) -> int:
    turns = Turns(directory)
    return sum(turns.claim("gw0", turn) for turn in range(TURNS)[::order])


def test_each_turn_once(tmp_path: Path) -> None:
    """The second claim of a turn is refused; other turns and other workers' are not concerned."""
    turns = Turns(tmp_path)

    assert turns.claim("gw0", 0)
    assert not Turns(tmp_path).claim("gw0", 0)
    assert turns.claim("gw0", 1)
    assert turns.claim("gw1", 0)


def test_whether_something_is_taken_down(tmp_path: Path) -> None:
    """It is known after which test, as long as that takes, also when it fails; of each worker by itself."""
    turns = Turns(tmp_path)

    with pytest.raises(OSError, match="stuck"), turns.taking_down("gw0", 7):
        assert Turns(tmp_path).died_taking_down("gw0") == 7
        assert turns.died_taking_down("gw1") is None
        raise OSError("stuck")

    assert turns.died_taking_down("gw0") is None
    with turns.taking_down("gw0", 8):
        assert turns.died_taking_down("gw0") == 8


def test_two_processes_share_the_turns_without_a_rest(tmp_path: Path) -> None:
    """Claimed from both ends at once, every turn is somebody's and none is both's."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        counts = pool.starmap(_claim_all, [(tmp_path, 1), (tmp_path, -1)])

    assert sum(counts) == TURNS
