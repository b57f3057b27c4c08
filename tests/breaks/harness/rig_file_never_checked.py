"""Break: a rig file is written that does not load."""

from __future__ import annotations

from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import replaces

TITLE = "a rig file is written that does not load"
NOTICED_BY = ("tests/inventory/test_rig_files_written.py::test_file_that_would_not_load_is_not_written",)
ABOUT = r"DID NOT RAISE UsageError"


@replaces(rig_writing, "check_text")
def check_text(text: str, file: Any, check: Any) -> None:
    """Find everything in order."""
