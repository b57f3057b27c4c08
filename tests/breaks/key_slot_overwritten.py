"""Break: KEYGEN overwrites a key that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from harness_nordic.enums import CredentialType

TITLE = "KEYGEN overwrites a key that is there"
EXPECTED = ("test_credential_store.py::test_key_slot_is_never_overwritten",)
ABOUT = r"CommandRefused"

before = existing(CredentialStore, "put_generated_key")


@replaces(CredentialStore, "put_generated_key")
def put_generated_key(
    self: CredentialStore, tag: int, kind: CredentialType, key: EllipticCurvePrivateKey
) -> None:
    """Make room first."""
    self._entries.pop((tag, int(kind)), None)
    before(self, tag, kind, key)
