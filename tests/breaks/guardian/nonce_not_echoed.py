"""Break: a certified profile has a nonce of its own instead of its request's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.fake import issuing
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from harness_guardian.fake.records import ComponentInstance, IssuedCertificate, ProvisioningRequest

TITLE = "a certified profile has a nonce of its own instead of its request's"
EXPECTED = ("test_automatic.py::test_initial[jws]", "test_automatic.py::test_initial[cose]")
ABOUT = r"ended_well"

before = existing(issuing, "payload_of")


@replaces(issuing, "payload_of")
def payload_of(
    request: ProvisioningRequest,
    device: ComponentInstance,
    issuer: x509.Certificate,
    certificates: Sequence[IssuedCertificate],
    *,
    response_id: str,
    issued_at: float,
    crl_url: str,
) -> dict[str, Any]:
    """Say another nonce."""
    payload: dict[str, Any] = before(
        request,
        device,
        issuer,
        certificates,
        response_id=response_id,
        issued_at=issued_at,
        crl_url=crl_url,
    )
    return {**payload, "nonce": "AAAAAAAAAAAAAAAAAAAAAA"}
