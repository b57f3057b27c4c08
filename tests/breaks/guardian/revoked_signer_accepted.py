"""Break: a device whose identity is revoked may reprovision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.fake.vault_link import VaultLink
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import System
    from harness_guardian.fake.vault_contract import VaultCertificate

TITLE = "a device whose identity is revoked may reprovision"
EXPECTED = ("test_vault_errors.py::test_unknown_signer[*revoke]",)
ABOUT = r"Status.PROVISIONED: 'provisioned'> != <Status.ERROR"

before = existing(VaultLink, "read_certificate")


@replaces(VaultLink, "read_certificate")
async def read_certificate(
    self: VaultLink, system: System, serial: str, *, request_id: str
) -> VaultCertificate | None:
    """Leave unread that it is revoked."""
    known: VaultCertificate | None = await before(self, system, serial, request_id=request_id)
    return None if known is None else replace(known, revoked=False)
