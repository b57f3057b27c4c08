"""Break: numbers of a C file are read as decimal ones only."""

from __future__ import annotations

from harness_pelion import c_tokens
from tests.breaks.support.patching import existing, replaces

TITLE = "an octal number of a C file is read as a decimal one"
NOTICED_BY = ("tests/pelion/resources/test_c_resources.py::test_what_c_allows[*017*",)
ABOUT = r"assert"

before = existing(c_tokens, "_number")


@replaces(c_tokens, "_number")
def _number(written: str, line: int) -> int:
    """Count by tens."""
    return int(written) if written.isdecimal() else int(before(written, line))
