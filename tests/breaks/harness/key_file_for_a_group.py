"""Break: a key is taken from a file that a group may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends import credentials
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "a key is taken from a file that a group may read"
NOTICED_BY = ("tests/nordic/client/test_access.py::test_key_file_that_is_refused[key-416-*",)
ABOUT = r"DID NOT RAISE"

before = existing(credentials, "read_private_file")


@replaces(credentials, "read_private_file")
def read_private_file(file: Path, *, named_by: str, what: str) -> bytes:
    """Look at the bits of everybody else only."""
    file.chmod(file.stat().st_mode & ~0o070)
    content: bytes = before(file, named_by=named_by, what=what)
    return content
