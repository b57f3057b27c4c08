"""Break: a new board of a rig file is called as another one is."""

from __future__ import annotations

from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import replaces

TITLE = "a new board of a rig file is called as another one is"
NOTICED_BY = ("tests/inventory/test_rig_writing.py::test_names_are_never_given_twice",)
ABOUT = r"35B-2"


@replaces(rig_writing, "_new_name")
def new_name(board: Any, taken: Any) -> str:
    """Ask nobody whether the name is free."""
    return str(board.identity or board.id)
