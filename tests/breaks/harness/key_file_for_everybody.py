"""Break: a key is taken from a file that others may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends import credentials
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "a key is taken from a file that others may read"
NOTICED_BY = ("tests/nordic/client/test_access.py::test_key_file_that_is_refused*others*",)
ABOUT = r"DID NOT RAISE"


@replaces(credentials, "read_private_file")
def read_private_file(file: Path, *, named_by: str, what: str) -> bytes:
    """Read it whoever may."""
    return file.read_bytes()
