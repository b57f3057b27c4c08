"""Break: a certificate that was changed in Pelion's fake looks as old as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_pelion.fake.service import PelionService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, TrustedCertificate

TITLE = "a changed certificate keeps its etag"
NOTICED_BY = ("tests/pelion/fake/test_trusted_certificates.py::test_change_is_seen_by_its_tag",)
ABOUT = r"updated_at"

before = existing(PelionService, "change_certificate")


@replaces(PelionService, "change_certificate")
def change_certificate(
    self: PelionService, account: Account, certificate: TrustedCertificate, changes: dict[str, Any]
) -> None:
    """Change it, and nothing else."""
    moment = certificate.updated_at
    before(self, account, certificate, changes)
    certificate.updated_at = moment
