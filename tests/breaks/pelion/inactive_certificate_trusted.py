"""Break: a developer certificate that is inactive opens the bootstrap server all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_pelion.fake.service import PelionService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, TrustedCertificate

TITLE = "an inactive certificate is trusted as before"
EXPECTED = ("test_bootstrap.py::test_inactive_certificate",)
ABOUT = r"set\(errors\) &"


@replaces(PelionService, "change_certificate")
def change_certificate(
    self: PelionService, account: Account, certificate: TrustedCertificate, changes: dict[str, Any]
) -> None:
    """Show the changes, and tell nobody."""
    for field, value in changes.items():
        setattr(certificate, field, value)
