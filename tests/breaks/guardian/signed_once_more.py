"""Break: Vault signs each certificate twice; the second is thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.vault_link import VaultLink
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentInstance,
        IssuedCertificate,
        ProvisioningRequest,
    )

TITLE = "Vault signs each certificate twice; the second is thrown away"
#: Nothing but the shared check sees it.
EXPECTED = ("test_automatic.py::test_columns", "test_manual.py::test_initial[jws]")
ABOUT = r"Vault signed 2"

before = existing(VaultLink, "sign_certificate")


@replaces(VaultLink, "sign_certificate")
async def sign_certificate(
    self: VaultLink,
    request: ProvisioningRequest,
    device: ComponentInstance,
    slot: CertificateSlot,
    csr: bytes,
) -> IssuedCertificate:
    """Have it signed once more."""
    certificate: IssuedCertificate = await before(self, request, device, slot, csr)
    await before(self, request, device, slot, csr)
    return certificate
