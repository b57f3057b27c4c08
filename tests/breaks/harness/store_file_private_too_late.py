"""Break: a file of a store has its content before it has its mode."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness_pelion import store_files
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from pathlib import Path

    from harness_pelion.store_files import Rights

TITLE = "a file of a store has its content before it has its mode"
NOTICED_BY = ("tests/pelion/stores/test_rights.py::test_modes_from_the_first_byte[*",)
ABOUT = r"seen"


@replaces(store_files, "write_into")
def write_into(path: Path, content: bytes, rights: Rights) -> None:
    """Write first, and lock up afterwards."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), rights.file)
