"""Break: the driver takes any line for part of the answer."""

from __future__ import annotations

from harness_nordic.driver_dialect import AtDialect
from tests.breaks.support.patching import replaces

TITLE = "an unsolicited line is taken for the answer"
EXPECTED = ("test_board_answers.py::test_unsolicited_line[True]",)
ABOUT = r"imei"


@replaces(AtDialect, "is_unsolicited")
def is_unsolicited(self: AtDialect, line: str) -> bool:
    """Know no such lines."""
    return False
