"""Break: a role of the Vault signs for keys that it does not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.vault import pki_signing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.vault.pki_roles import Role

TITLE = "a role of the Vault signs for any key"
NOTICED_BY = ("tests/guardian/vault/test_pki.py::test_role_refuses_other_keys[*",)
ABOUT = r"DID NOT RAISE"


@replaces(pki_signing, "check_key")
def check_key(role: Role, key: object) -> None:
    """Look at no key."""
