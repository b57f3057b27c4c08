"""Break: writing a rig file loses its comments."""

from __future__ import annotations

import tomllib
from typing import Any

import tomlkit

from harness.inventory import rig_writing
from tests.breaks.support.patching import existing, replaces

TITLE = "writing a rig file loses its comments"
NOTICED_BY = (
    "tests/inventory/test_rig_writing.py::test_what_is_by_hand_stays_where_it_is",
    "tests/inventory/test_rig_writing.py::test_comment_of_what_follows_the_boards_stays_its_own",
    "tests/inventory/test_rig_writing.py::test_boards_in_one_array",
)
ABOUT = r"merged.text|merge\(text"


before = existing(rig_writing, "edit")


@replaces(rig_writing, "edit")
def edit(text: str, changes: Any, additions: Any, *, file: Any = None) -> str:
    """Keep what a program reads, and nothing else."""
    result = before(text, changes, additions, file=file)
    return result if result == text else tomlkit.dumps(tomllib.loads(result))
