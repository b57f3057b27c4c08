"""Break: certificates of a profile that could not be signed stay valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import ComponentInstance, IssuedCertificate
    from harness_guardian.fake.vault_contract import VaultCalls

TITLE = "certificates of a profile that could not be signed stay valid"
EXPECTED = (
    "test_vault_errors.py::test_certificates_of_a_failed_profile[*",
    "test_vault_errors.py::test_later_certificate[*",
    # the shared check alone looks at it here:
    "test_vault_errors.py::test_fault[*-initial-profile-500]",
)
ABOUT = r"revoke|still valid"


@replaces(issuing, "revoke_all")
async def revoke_all(
    link: VaultCalls, device: ComponentInstance, certificates: list[IssuedCertificate]
) -> list[str]:
    """Leave them to whoever has them."""
    return []
