"""Break: Pelion's API key is taken from a file that others may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends import credentials
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "Pelion's API key is taken from a file that others may read"
NOTICED_BY = ("tests/pelion/client/test_access.py::test_key_file_that_others_may_read*",)
ABOUT = r"DID NOT RAISE"

before = existing(credentials, "read_private_file")


@replaces(credentials, "read_private_file")
def read_private_file(file: Path, *, named_by: str, what: str) -> bytes:
    """Lock it up, and mind no more."""
    file.chmod(0o600)
    content: bytes = before(file, named_by=named_by, what=what)
    return content
