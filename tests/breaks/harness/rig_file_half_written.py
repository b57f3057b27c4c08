"""Break: a rig file that cannot be written whole is left in part."""

from __future__ import annotations

from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import replaces

TITLE = "a rig file that cannot be written whole is left in part"
NOTICED_BY = (
    "tests/inventory/test_rig_file_is_whole.py::test_file_that_does_not_fit_on_the_disk_is_as_it_was",
)
ABOUT = r"file.read_text\(\) == before"


@replaces(rig_writing, "write_rig")
def write_rig(file: Any, merged: Any) -> None:
    """Write in place, piece by piece."""
    with file.open("wb") as stream:
        stream.write(merged.text.encode())
