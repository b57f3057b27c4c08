"""Break: each slot's certificate is signed twice, and one of the two is nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.vault_link import VaultLink
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentInstance,
        IssuedCertificate,
        ProvisioningRequest,
    )

TITLE = "a slot is signed twice"
NOTICED_BY = (
    "tests/guardian/fake/test_issuing.py::test_vault_is_asked_once_for_each_thing",
    "tests/guardian/fake/test_issuing.py::test_devices_are_issued_at_once",
)
ABOUT = r"sign|serials"

_sign = VaultLink.sign_certificate


@replaces(VaultLink, "sign_certificate")
async def sign_certificate(
    self: VaultLink,
    request: ProvisioningRequest,
    device: ComponentInstance,
    slot: CertificateSlot,
    csr: bytes,
) -> IssuedCertificate:
    """Sign once more than anybody wanted."""
    await _sign(self, request, device, slot, csr)
    return await _sign(self, request, device, slot, csr)
