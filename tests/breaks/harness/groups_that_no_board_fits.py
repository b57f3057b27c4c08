"""Break: tests are kept together although no board fits them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import grouping
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.inventory.board import Board
    from harness.pytest_plugin.handover import Requirement

TITLE = "tests are kept together although no board fits them all"
NOTICED_BY = ("tests/pytest_plugin/test_grouping.py::test_groups_that_no_board_*",)
ABOUT = r"raises"


@replaces(grouping, "refuse_groups_apart")
def refuse_groups_apart(
    requirements: Iterable[tuple[str, Requirement]], boards: Sequence[Board], *, late_boards: bool
) -> None:
    """See no harm."""
