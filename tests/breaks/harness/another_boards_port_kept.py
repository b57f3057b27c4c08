"""Break: a port whose name became another board's while it was opened is kept."""

from __future__ import annotations

from typing import Any

from harness.inventory import finding
from tests.breaks.support.patching import replaces

TITLE = "a port whose name became another board's while it was opened is kept"
NOTICED_BY = ("tests/inventory/test_finding.py::test_name_that_became_anothers_is_let_go",)
ABOUT = r"DID NOT RAISE BoardLost"


@replaces(finding, "_refuse_another")
def refuse_another(board: Any, endpoint: Any) -> None:
    """Look at nothing."""
