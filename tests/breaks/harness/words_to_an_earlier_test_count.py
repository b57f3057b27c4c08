"""Break: what a board said to an earlier test is handed out to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.console.console import Console
from harness.console.matching import line_test
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

TITLE = "what a board said to an earlier test is handed out to the next one"
NOTICED_BY = (
    "tests/console/test_console.py::test_all_that_was_said_earlier_can_be_forgotten",
    "tests/pytest_plugin/test_board_fixture.py::test_each_test_hears_what_its_board_says_to_it",
)
ABOUT = r"DID NOT RAISE|result\.outcomes|wait_unsolicited"


@replaces(Console, "forget_unsolicited")
def forget_unsolicited(self: Console, wanted: str | re.Pattern[str] | Callable[[str], bool] = "") -> None:
    """Forget what is named, never everything."""
    fits = line_test(wanted)
    while wanted and self._lines.take(fits) is not None:
        pass
