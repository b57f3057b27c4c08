"""Break: a CSR is taken from a device that has not its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import proofs
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.envelopes import PublicKey
    from harness_guardian.fake.records import CertificateSlot

TITLE = "a CSR is taken from a device that has not its key"
NOTICED_BY = (
    "tests/guardian/fake/test_proofs.py::test_a_csr_that_is_not_the_devices_is_malformed[not proven]",
    "tests/guardian/fake/test_proofs.py::test_a_csr_that_is_not_the_devices_is_malformed[key of the signer]",
)
ABOUT = r"outcome"


_fault_of_csr = proofs._fault_of_csr


@replaces(proofs, "_fault_of_csr")
def fault_of_csr(der: bytes, slot: CertificateSlot, hw_id: str, signer: PublicKey) -> str | None:
    """Overlook what is wrong with the keys."""
    fault = _fault_of_csr(der, slot, hw_id, signer)
    return None if fault is not None and ("verify" in fault or "signed" in fault) else fault
