"""Break: a file of attestation tokens can be read by everybody while it is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness_nordic import token_file
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "a file of attestation tokens can be read by everybody while it is written"
NOTICED_BY = ("tests/nordic/attached/test_cli.py::test_file_is_private_from_its_first_byte",)
ABOUT = r"modes"


@replaces(token_file, "write_file")
def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write first, and lock up afterwards."""
    token_file.check_target(path, force=force)
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)
