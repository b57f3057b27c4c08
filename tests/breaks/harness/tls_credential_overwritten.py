"""Break: the credential shell writes over a credential that is there."""

from __future__ import annotations

from harness_nordic.virtual.tls_credentials import TlsCredentials
from tests.breaks.support.patching import existing, replaces

TITLE = "the credential shell writes over a credential that is there"
NOTICED_BY = ("tests/nordic/virtual/test_shell_credentials.py::test_occupied_slot",)
ABOUT = r"already exists"

before = existing(TlsCredentials, "add")


@replaces(TlsCredentials, "add")
def add(self: TlsCredentials, tag: int, kind: int, content: bytes) -> None:
    """Make room first."""
    self._entries.pop((tag, kind), None)
    before(self, tag, kind, content)
