"""Break: a device of somebody's is provisioned without a question."""

from __future__ import annotations

from harness_pelion.driver_safety import CredentialGuard
from tests.breaks.support.patching import replaces

TITLE = "credentials that nobody can put back are overwritten"
NOTICED_BY = ("tests/pelion/driver/test_driver.py::test_nobodys_credentials_are_overwritten*",)
ABOUT = r"DID NOT RAISE"


@replaces(CredentialGuard, "check")
def check(self: CredentialGuard, what: str) -> None:
    """Let everything pass."""
