"""Break: tests that are kept together are scattered among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import grouping
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

TITLE = "tests that are kept together are scattered among the others"
NOTICED_BY = ("tests/pytest_plugin/test_grouping.py::test_members_follow_the_first_one",)
ABOUT = r"abecdgf"


@replaces(grouping, "put_together")
def put_together(items: list[pytest.Item], groups: Sequence[str | None]) -> None:
    """Leave them where they are."""
