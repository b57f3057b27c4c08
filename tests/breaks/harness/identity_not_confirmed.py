"""Break: a board that says nothing, or that it is another, is used all the same."""

from __future__ import annotations

from typing import Any

from harness.inventory import identity
from tests.breaks.support.patching import replaces

TITLE = "a board that says nothing, or that it is another, is used all the same"
NOTICED_BY = ("tests/inventory/test_identity.py::test_refusals_have_reasons",)
ABOUT = r"found.boards == \(\)"


@replaces(identity, "_refusal")
def refusal(answer: Any, said: Any) -> str | None:
    """Refuse no board."""
    return None
