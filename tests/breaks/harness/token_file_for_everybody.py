"""Break: a file of secrets can be read by everybody while it is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness import files
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "a file of secrets can be read by everybody while it is written"
NOTICED_BY = ("tests/test_files.py::test_private_file_is_private_from_its_first_byte*",)
ABOUT = r"modes"


@replaces(files, "_write_new")
def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write first, and lock up afterwards."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)
