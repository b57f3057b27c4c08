"""Break: deleting an empty slot is answered OK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.enums import CredentialType

TITLE = "deleting an empty slot is answered OK"
EXPECTED = ("test_credential_store.py::test_delete_of_an_empty_slot",)
ABOUT = r"CommandRefused"


@replaces(CredentialStore, "delete")
def delete(self: CredentialStore, tag: int, kind: CredentialType) -> None:
    """Delete what is there."""
    self._entries.pop((tag, int(kind)), None)
