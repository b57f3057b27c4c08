"""Break: a tag or rule of somebody else is deleted that is called as ours may have been."""

from __future__ import annotations

from harness_nordic.client_definitions import Definitions
from tests.breaks.support.patching import existing, replaces

TITLE = "a tag or rule of somebody else is deleted that is called as ours may have been"
NOTICED_BY = ("tests/nordic/claims/test_definitions.py::test_answer_that_nobody_saw*",)
ABOUT = r"said"

before = existing(Definitions, "_undo")


@replaces(Definitions, "_undo")
def _undo(self: Definitions, name: str, identifier: str, *, own: bool) -> str:
    """Take every name for the run's own."""
    said: str = before(self, name, identifier, own=True)
    return said
