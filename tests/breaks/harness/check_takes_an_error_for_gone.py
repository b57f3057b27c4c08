"""Break: the check takes what it made for undone although the service answered with an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.check_books import Books
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.check_books import Made

TITLE = "the check takes what it made for undone although the service answered with an error"
NOTICED_BY = ("tests/real_mode/test_service_check.py::test_service_that_answers_errors",)
ABOUT = r"claim"

before = existing(Books, "_undo")


@replaces(Books, "_undo")
def _undo(self: Books, made: Made) -> str:
    """Ask, and be content."""
    before(self, made)
    return ""
