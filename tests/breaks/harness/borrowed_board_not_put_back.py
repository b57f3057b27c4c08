"""Break: after a test of several boards only the worker's own is put back, not those that it borrowed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.pytest_plugin.lending import Lending
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.leased_board import LeasedBoard

TITLE = "after a test of several boards only the worker's own is put back"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_a_board_that_is_lent",)
ABOUT = r"workers\.log"

properly = existing(Lending, "lent")


@replaces(Lending, "lent")
@contextmanager
def lent(self: Lending, leased: LeasedBoard, test: str, *, keep: Callable[[], bool]) -> Iterator[None]:
    """Leave a borrowed board as the test left it."""
    if leased.id in self._boards:
        with properly(self, leased, test, keep=keep):
            yield
    else:
        yield
