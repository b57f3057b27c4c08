"""Break: the credential shell keeps in its buffer what it has stored."""

from __future__ import annotations

from harness_nordic.virtual.shell_credentials import CredentialShell
from tests.breaks.support.patching import replaces

TITLE = "the credential shell keeps in its buffer what it has stored"
NOTICED_BY = ("tests/nordic/virtual/test_shell_credentials.py::test_buffer_is_empty_behind_a_write",)
ABOUT = r"Please provide"


@replaces(CredentialShell, "_forget_buffer")
def _forget_buffer(self: CredentialShell) -> None:
    """Leave it for the next one."""
