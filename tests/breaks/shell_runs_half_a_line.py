"""Break: a shell whose line was cut off runs what it has of it."""

from __future__ import annotations

from harness_nordic.virtual import shell
from harness_nordic.virtual.shell_words import NotTerminated
from tests.breaks.support.patching import existing, replaces

TITLE = "a shell whose line was cut off runs what it has of it"
EXPECTED = ("test_shell_discipline.py::test_line_that_is_too_long[at-shell]",)
ABOUT = r"its shell does not take|Regex"

before = existing(shell, "split")


@replaces(shell, "split")
def split(line: str) -> list[str]:
    """Close the quotation mark that is open."""
    try:
        words: list[str] = before(line)
    except NotTerminated as error:
        words = before(line + error.quote)
    return words
