"""Break: a key is taken from a file that a group may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic import client_access
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "a key is taken from a file that a group may read"
NOTICED_BY = ("tests/nordic/client/test_access.py::test_key_file_that_is_refused[key-416-*",)
ABOUT = r"DID NOT RAISE"

before = existing(client_access, "read_key_file")


@replaces(client_access, "read_key_file")
def read_key_file(file: Path, *, named_by: str = "") -> str:
    """Look at the bits of everybody else only."""
    file.chmod(file.stat().st_mode & ~0o070)
    key: str = before(file, named_by=named_by)
    return key
