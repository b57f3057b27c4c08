"""Break: a certificate cannot be written over an earlier one."""

from __future__ import annotations

from harness_nordic.enums import CmeError, CredentialType
from harness_nordic.virtual.credentials import CredentialStore
from harness_nordic.virtual.errors import CmeRefusal
from tests.breaks.support.patching import existing, replaces

TITLE = "a certificate cannot be written over an earlier one"
EXPECTED = ("test_execution.py::test_commands_run_in_order",)
ABOUT = r"SUCCEEDED"

before = existing(CredentialStore, "write")


@replaces(CredentialStore, "write")
def write(self: CredentialStore, tag: int, kind: CredentialType, content: str, password: str) -> None:
    """Refuse 519 for every occupied slot, not only for generated keys."""
    if (tag, int(kind)) in self._entries:
        raise CmeRefusal(CmeError.ALREADY_EXISTS)
    before(self, tag, kind, content, password)
