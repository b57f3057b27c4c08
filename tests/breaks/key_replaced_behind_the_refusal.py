"""Break: KEYGEN refuses an occupied slot and replaces its key all the same."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness_nordic.virtual.credentials import CredentialStore
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from harness_nordic.enums import CredentialType

TITLE = "KEYGEN refuses an occupied slot and replaces its key all the same"
EXPECTED = ("test_credential_store.py::test_key_slot_is_never_overwritten",)
ABOUT = r"jwt_is_signed_by"

before = existing(CredentialStore, "put_generated_key")


@replaces(CredentialStore, "put_generated_key")
def put_generated_key(
    self: CredentialStore, tag: int, kind: CredentialType, key: EllipticCurvePrivateKey
) -> None:
    """Put the new key in the old one's place, then refuse."""
    earlier = self._entries.get((tag, int(kind)))
    if earlier is not None:
        self._entries[tag, int(kind)] = dataclasses.replace(earlier, key=key)
    before(self, tag, kind, key)
