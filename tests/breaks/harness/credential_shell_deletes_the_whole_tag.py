"""Break: the credential shell deletes all that a tag holds."""

from __future__ import annotations

from harness_nordic.virtual.tls_credentials import TlsCredentials
from tests.breaks.support.patching import existing, replaces

TITLE = "the credential shell deletes all that a tag holds"
NOTICED_BY = ("tests/nordic/virtual/test_shell_credentials.py::test_one_credential_is_deleted",)
ABOUT = r"cred list|lines"

before = existing(TlsCredentials, "delete")


@replaces(TlsCredentials, "delete")
def delete(self: TlsCredentials, tag: int, kind: int) -> None:
    """Look at the tag alone."""
    before(self, tag, kind)
    for entry in self.entries(tag):
        before(self, tag, entry.type)
