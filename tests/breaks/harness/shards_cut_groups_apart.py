"""Break: tests that are kept together are shared out one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import sharding
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

TITLE = "tests that are kept together are shared out one by one"
NOTICED_BY = ("tests/pytest_plugin/test_sharding.py::test_groups_stay_whole",)
ABOUT = r"isdisjoint"


@replaces(sharding, "_key")
def _key(item: pytest.Item) -> str:
    """Know no groups."""
    return item.nodeid
