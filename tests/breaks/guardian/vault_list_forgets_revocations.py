"""Break: the Vault's list of revoked certificates stays as it was made first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness_guardian.vault.pki_engine import PkiEngine
from tests.breaks.support.patching import replaces

TITLE = "a revoked certificate is not on the list"
NOTICED_BY = (
    "tests/guardian/vault/test_revocation.py::test_revoked_certificate_is_on_the_list_that_openssl_checks",
)
ABOUT = r"certificate revoked"


@replaces(PkiEngine, "_revoke_stored")
def _revoke_stored(self: PkiEngine, stored: Any) -> datetime:
    """Note it, and leave the list as it is."""
    since: datetime = stored.revoked_at or datetime.now(UTC)
    stored.revoked_at = since
    return since
