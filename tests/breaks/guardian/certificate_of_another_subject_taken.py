"""Break: a certificate that names somebody else is handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography import x509

    from harness_guardian.fake.records import ComponentInstance, ProvisioningRequest

TITLE = "a certificate of another subject is handed out"
NOTICED_BY = (
    "tests/guardian/fake/test_issuing.py::test_fault_of_the_vault_has_its_code[sign-wrong-subject]",
)
ABOUT = r"Status\.ERROR"


@replaces(issuing, "_names")
def _names(leaf: x509.Certificate, request: ProvisioningRequest, device: ComponentInstance) -> bool:
    """Read no name."""
    return True
