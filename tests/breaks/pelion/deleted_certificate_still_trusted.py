"""Break: a developer certificate that was deleted opens the bootstrap server all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.service import PelionService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, TrustedCertificate

TITLE = "a deleted certificate is trusted as before"
EXPECTED = ("test_bootstrap.py::test_deleted_certificate",)
ABOUT = r"set\(errors\) &"


@replaces(PelionService, "delete_certificate")
def delete_certificate(self: PelionService, account: Account, certificate: TrustedCertificate) -> None:
    """Take it off the list, and tell nobody."""
    account.certificates.pop(certificate.id, None)
