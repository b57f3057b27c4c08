"""Break: a board that another session leased is asked who it is."""

from __future__ import annotations

from typing import Any

from harness.inventory import finding
from tests.breaks.support.patching import replaces

TITLE = "a board that another session leased is asked who it is"
NOTICED_BY = ("tests/inventory/test_finding.py::test_what_another_session_has_is_not_opened",)
ABOUT = r"DID NOT RAISE BoardLost"


@replaces(finding, "_refuse_what_others_hold")
def refuse_what_others_hold(board: Any, candidate: Any) -> None:
    """Refuse nothing."""
