"""Break: what an earlier run has said is taken for the end of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.driver_console import ConsoleLink, ConsoleRun
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "the end of an earlier provisioning counts for the one that was just begun"
NOTICED_BY = ("tests/guardian/test_driver.py::test_end_of_provisioning[*]",)
ABOUT = "outcome"


@replaces(ConsoleLink, "begin")
def begin(self: ConsoleLink, words: Sequence[str]) -> ConsoleRun:
    """Begin a run without a look at what was said before."""
    self.run(words)
    return ConsoleRun(self._console(), self._board, " ".join(words))
