"""Break: nobody looks whether Vault knows the certificates that a device has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import ComponentInstance, ProvisioningRequest
    from harness_guardian.fake.vault_contract import VaultCalls

TITLE = "nobody looks whether Vault knows the certificates that a device has"
EXPECTED = ("test_vault_errors.py::test_unknown_leaf[*", "test_vault_errors.py::test_slow_leaf[*")
ABOUT = r"Status.PROVISIONED: 'provisioned'> != <Status.ERROR"


@replaces(issuing, "_look_up_leafs")
async def _look_up_leafs(link: VaultCalls, device: ComponentInstance, request: ProvisioningRequest) -> None:
    """Ask nobody."""
