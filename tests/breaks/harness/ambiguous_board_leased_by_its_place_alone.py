"""Break: a board that said who it is can be leased by that name again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.inventory import leases
from tests.breaks.support.patching import replaces

TITLE = "a board that said who it is can be leased by that name again"
NOTICED_BY = (
    "tests/inventory/test_ambiguous_leases.py::test_asked_board_is_taken_with_both_or_with_none",
    "tests/inventory/test_ambiguous_leases.py::test_boards_that_were_swapped_change_their_names",
)
ABOUT = r"held\(twin|leases.boards|refused"


@replaces(leases, "_take_every_name")
def take_every_name(board: Any, session: str, but: Any = ()) -> Any:
    """Take the name of its place."""
    return [leases.Lease(replace(board, confirmed=False), session, deadline=0)]
