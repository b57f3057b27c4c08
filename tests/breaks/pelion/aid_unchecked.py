"""Break: the bootstrap server does not look at the account that a device names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.bootstrap_server import BootstrapServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, DeveloperCertificate

TITLE = "a device may name any account when it bootstraps"
EXPECTED = (
    "test_bootstrap.py::test_account_of_nobody",
    "test_reprovisioning.py::test_certificate_at_another_account",
)
ABOUT = r"set\(errors\) &|ConnectBootstrapFailed"

before = existing(BootstrapServer, "_check_claims")


@replaces(BootstrapServer, "_check_claims")
def _check_claims(
    self: BootstrapServer, account: Account, certificate: DeveloperCertificate, said: dict[str, str]
) -> None:
    """Take any account for the right one."""
    before(self, account, certificate, {**said, "aid": account.id})
