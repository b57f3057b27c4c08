"""Break: the issuer's certificate is not read before devices' certificates are signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import ComponentInstance, ProvisioningRequest
    from harness_guardian.fake.vault_contract import VaultCalls

TITLE = "the issuer is not read"
NOTICED_BY = (
    "tests/guardian/fake/test_issuing.py::test_fault_of_the_vault_has_its_code[read-issuer-not-found]",
    "tests/guardian/fake/test_issuing.py::test_vault_is_asked_once_for_each_thing",
)
ABOUT = r"Status\.ERROR|read-issuer"


@replaces(issuing, "_read_issuer")
async def _read_issuer(
    link: VaultCalls, device: ComponentInstance, request: ProvisioningRequest
) -> x509.Certificate:
    """Take the one that was there when the system was set up."""
    assert device.system.trust is not None
    return x509.load_pem_x509_certificate(device.system.trust.intermediate_pem.encode())
