"""Break: the replacement of a worker that died opens its board although another worker uses it."""

from __future__ import annotations

from contextlib import suppress

from harness.errors import HarnessError
from harness.pytest_plugin.lending import Lending
from tests.breaks.support.patching import replaces

TITLE = "the replacement of a worker that died opens its board although another worker uses it"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_the_owner_died_while_its_board_was_lent",)
ABOUT = r"workers\.log"


@replaces(Lending, "recover")
def recover(self: Lending) -> None:
    """Put back whatever is ours, wherever it is."""
    for board_id in list(self._to_recover):
        with suppress(HarnessError):
            self._put_back(self._boards[board_id])
