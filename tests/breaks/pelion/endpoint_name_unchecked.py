"""Break: the bootstrap server takes any endpoint name with a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.bootstrap_server import BootstrapServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, DeveloperCertificate

TITLE = "a device may call itself otherwise than its certificate"
EXPECTED = ("test_bootstrap.py::test_another_endpoint_name",)
ABOUT = r"set\(errors\) &"

before = existing(BootstrapServer, "_check_claims")


@replaces(BootstrapServer, "_check_claims")
def _check_claims(
    self: BootstrapServer, account: Account, certificate: DeveloperCertificate, said: dict[str, str]
) -> None:
    """Take any name for the right one."""
    before(self, account, certificate, {**said, "ep": certificate.id})
