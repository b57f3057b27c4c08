"""Break: a stores file that cannot be read is replaced by the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness_pelion import stores_file
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from pathlib import Path

    from harness_pelion.stores_file import Locations

TITLE = "a stores file that cannot be read is overwritten"
NOTICED_BY = ("tests/pelion/stores/test_stores_file.py::test_broken_file_is_named_and_left[*",)
ABOUT = r"DID NOT RAISE"

before = existing(stores_file, "_read")


@replaces(stores_file, "_read")
def _read(file: Path, default: Locations) -> Locations:
    """Do as MBL CLI does."""
    try:
        found: Locations = before(file, default)
    except UsageError:
        file.unlink()
        stores_file._write(default)
        return default
    return found
