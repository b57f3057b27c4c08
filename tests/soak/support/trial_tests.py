"""The suite of a trial, run by a session of its own; not collected by itself.

Every test says in which phase it is, in a file that outlives its process and to whoever runs the trial.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
PLAN: dict[str, Any] = json.loads((HERE / "plan.json").read_text()) if (HERE / "plan.json").exists() else {}
PAIR, SINGLE = PLAN.get("kinds", ("pair", "single"))
PAUSE = PLAN.get("pause", 0.0)


def say(test: str, phase: str, boards: Sequence[Any] = ()) -> None:
    """Say where a test is: each line is one write, so that no two of them mix."""
    line = json.dumps(
        {
            "at": time.monotonic(),
            "pid": os.getpid(),
            "test": test,
            "phase": phase,
            "boards": [board.id for board in boards],
        }
    )
    for name, how in (("log", os.O_APPEND | os.O_CREAT), ("events", 0)):
        descriptor = os.open(HERE / name, os.O_WRONLY | how)
        os.write(descriptor, line.encode() + b"\n")
        os.close(descriptor)


def use(boards: Sequence[Any]) -> None:
    """Exchange a command with each board, and be a while in this phase."""
    for board in boards:
        assert board.driver.functional_mode() >= 0
    time.sleep(PAUSE)


@pytest.fixture(autouse=True)
def span(request: pytest.FixtureRequest) -> Iterator[None]:
    """The whole test, from before it has its boards until it has given them back."""
    say(request.node.name, "setup")
    yield
    say(request.node.name, "over")


def phases(test: str, boards: Sequence[Any]) -> Iterator[None]:
    """What a test does before and after its call."""
    say(test, "lent", boards)
    use(boards)
    say(test, "call", boards)
    yield
    say(test, "teardown", boards)
    use(boards)


@pytest.fixture
def one(request: pytest.FixtureRequest, board: Any) -> Iterator[list[Any]]:
    """The board of a test, in a list."""
    steps = phases(request.node.name, [board])
    next(steps)
    yield [board]
    next(steps, None)


@pytest.fixture
def several(request: pytest.FixtureRequest, boards: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The boards of a test."""
    steps = phases(request.node.name, boards)
    next(steps)
    yield boards
    next(steps, None)


@pytest.mark.board(kind=PAIR)
@pytest.mark.parametrize("number", range(4))
def test_on_the_pair(board: Any, one: list[Any], number: int) -> None:
    """Fits two equal boards."""
    use(one)


@pytest.mark.board(kind=SINGLE)
@pytest.mark.parametrize("number", range(2))
def test_on_the_single(board: Any, one: list[Any], number: int) -> None:
    """Fits one board only."""
    use(one)


@pytest.mark.board(driver="nrf91")
@pytest.mark.parametrize("number", range(2))
def test_anywhere(board: Any, one: list[Any], number: int) -> None:
    """Fits every board."""
    use(one)


@pytest.fixture(scope="module")
def costly() -> int:
    """Worth keeping."""
    return os.getpid()


@pytest.mark.keep_together
@pytest.mark.board(kind=PAIR)
class TestTogether:
    """Tests that share what is costly."""

    @pytest.mark.parametrize("number", range(2))
    def test_together(self, board: Any, costly: int, one: list[Any], number: int) -> None:
        """One after the other, in one process."""
        assert costly == os.getpid()
        use(one)


@pytest.mark.board(kind=PAIR, count=2)
def test_both(boards: Sequence[Any], several: Sequence[Any]) -> None:
    """Takes two boards at once."""
    assert len({board.id for board in boards}) == 2
    use(several)


def test_without_a_board() -> None:
    """Needs nothing."""
