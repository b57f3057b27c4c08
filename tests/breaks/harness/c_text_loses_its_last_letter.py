"""Break: a text of a C file loses an r at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.c_resources import _Definition
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.c_tokens import Token

TITLE = "a letter r at the end of a text of a C file is lost"
NOTICED_BY = ("tests/pelion/resources/test_c_resources.py::test_developer_file_gives_its_twelve_values*",)
ABOUT = r"dev_manufacturer|assert"

before = existing(_Definition, "_texts")


@replaces(_Definition, "_texts")
def _texts(self: _Definition, tokens: list[Token]) -> bytes:
    """Strip as the public client does."""
    text: bytes = before(self, tokens)
    return text.rstrip(b"r")
