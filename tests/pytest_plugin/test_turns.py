"""Whoever claims a turn first has it: the worker that begins a test, or the controller that revokes it."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

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


def test_two_processes_share_the_turns_without_a_rest(tmp_path: Path) -> None:
    """Claimed from both ends at once, every turn is somebody's and none is both's."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        counts = pool.starmap(_claim_all, [(tmp_path, 1), (tmp_path, -1)])

    assert sum(counts) == TURNS
