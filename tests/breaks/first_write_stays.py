"""Break: a second write to a slot is answered OK and does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.enums import CredentialType

TITLE = "a second write to a slot is answered OK and does nothing"
EXPECTED = ("test_execution.py::test_commands_run_in_order",)
ABOUT = r"pem_digest"

before = existing(CredentialStore, "write")


@replaces(CredentialStore, "write")
def write(self: CredentialStore, tag: int, kind: CredentialType, content: str, password: str) -> None:
    """Keep what came first."""
    if (tag, int(kind)) not in self._entries:
        before(self, tag, kind, content, password)
