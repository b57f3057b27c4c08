"""Break: the board lists the digest that a content should have, whatever lies there."""

from __future__ import annotations

from harness_nordic.virtual.modem import Modem
from tests.breaks.support.patching import replaces

TITLE = "a damaged credential goes unnoticed in the list"
EXPECTED = ("test_board_answers.py::test_digest_of_another_content",)
ABOUT = r"shown"


@replaces(Modem, "_shown_digest")
def _shown_digest(self: Modem, digest: str) -> str:
    """Show what was written."""
    return digest
