"""Break: a worker lends its board and keeps its ports open."""

from __future__ import annotations

from harness.pytest_plugin.lending import Lending
from tests.breaks.support.patching import replaces

TITLE = "a worker lends its board and keeps its ports open"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_a_board_that_is_lent",)
ABOUT = r"open_consoles"


@replaces(Lending, "lay_down")
def lay_down(self: Lending) -> None:
    """Say so, and close nothing."""
    assert self._shared is not None
    for leased in self._boards.values():
        self._shared.lay_down(leased.description)
        self._laid_down.add(leased.id)
