"""Break: a test of each board is run by one runner only, on whatever boards that has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import sharding
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

TITLE = "a test of each board is run by one runner only, on whatever boards that has"
NOTICED_BY = ("tests/pytest_plugin/test_sharding.py::test_tests_of_each_board_are_run_by_every_runner",)
ABOUT = r"kept\[-2:\] == each|share_of"


@replaces(sharding, "_is_of_this_bench")
def _is_of_this_bench(item: pytest.Item) -> bool:
    """Share every test out."""
    return False
