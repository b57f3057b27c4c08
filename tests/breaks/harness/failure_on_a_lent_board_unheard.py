"""Break: the owner of a lent board does not hear that a test failed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.lending import Lending
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

TITLE = "the owner of a lent board does not hear that a test failed on it"
NOTICED_BY = (
    "tests/pytest_plugin/test_lending.py::test_a_board_on_which_a_test_of_others_failed_is_doubted",
)
ABOUT = r"doubt"


@replaces(Lending, "doubt")
def doubt(self: Lending, leased: LeasedBoard) -> str | None:
    """Trust it."""
    return None
