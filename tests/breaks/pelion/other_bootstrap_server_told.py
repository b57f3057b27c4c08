"""Break: the API tells of another bootstrap server than the C file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.certificate_calls import CertificateCalls
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.enums import CertificateService
    from harness_pelion.fake.records import Account

TITLE = "the API tells of another bootstrap server than the C file"
EXPECTED = ("test_api.py::test_bootstrap_server",)
ABOUT = r"assert b'|At index"

before = existing(CertificateCalls, "_credentials")


@replaces(CertificateCalls, "_credentials")
def _credentials(self: CertificateCalls, account: Account, server: CertificateService) -> tuple[str, str]:
    """Tell of the other authority."""
    uri, _pem = before(self, account, server)
    return uri, self._service.issuing.stranger.pem
