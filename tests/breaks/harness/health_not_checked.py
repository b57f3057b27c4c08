"""Break: nobody asks boards whether they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.health import BoardHealth
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

TITLE = "nobody asks boards whether they answer"
NOTICED_BY = (
    "tests/pytest_plugin/test_health.py::test_a_board_is_asked_before_its_first_test_only",
    "tests/pytest_plugin/test_health.py::test_a_board_that_nothing_brings_back_declines_the_test",
)
ABOUT = r"ward.asked ==|ward.fitness\(\) =="


@replaces(BoardHealth, "fitness")
def fitness(self: BoardHealth, item: pytest.Item) -> str | None:
    """Trust every board."""
    return None
