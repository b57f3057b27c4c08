"""Break: the credential shell's digest does not count the NUL at the end of a text."""

from __future__ import annotations

import base64
import hashlib

from harness_nordic.virtual.tls_credentials import TlsCredential
from tests.breaks.support.patching import replaces

TITLE = "the credential shell's digest does not count the NUL at the end of a text"
NOTICED_BY = ("tests/nordic/virtual/test_shell_credentials.py::test_certificate",)
ABOUT = r"cred list"


@replaces(TlsCredential, "digest")
def digest(self: TlsCredential) -> str:
    """Take the text alone."""
    return base64.b64encode(hashlib.sha256(self.content.rstrip(b"\0")).digest()).decode()
