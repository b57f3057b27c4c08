"""Break: the board keeps the first 512 characters of a credential only."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.credentials import Entry

TITLE = "the board keeps the first 512 characters of a credential only"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_client_certificate",
)
ABOUT = r"pem_digest"

before = existing(CredentialStore, "_put")


@replaces(CredentialStore, "_put")
def _put(self: CredentialStore, entry: Entry) -> None:
    """Cut it off after the check."""
    content = entry.content[:512]
    digest = hashlib.sha256(content.encode()).hexdigest().upper() if content else entry.digest
    before(self, dataclasses.replace(entry, content=content, digest=digest))
