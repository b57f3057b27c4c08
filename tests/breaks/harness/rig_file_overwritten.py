"""Break: writing a rig file drops what was in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import existing, replaces

TITLE = "writing a rig file drops what was in it"
NOTICED_BY = (
    "tests/inventory/test_rig_writing.py::test_what_is_by_hand_stays_where_it_is",
    "tests/inventory/test_rig_writing.py::test_settings_by_hand_count",
    "tests/inventory/test_rig_writing.py::test_place_never_makes_another_board_of_one",
)
ABOUT = r'merged.text ==|board\["profile"\]|Standing.ABSENT'


before = existing(rig_writing, "merge")


@replaces(rig_writing, "merge")
def merge(text: str, found: Any, *, file: Any = None) -> Any:
    """Begin anew."""
    return replace(before("", found, file=file), before=text)
