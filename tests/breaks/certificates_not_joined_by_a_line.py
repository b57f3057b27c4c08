"""Break: both CA certificates are joined without an empty line."""

from __future__ import annotations

from harness_nordic.client_rules import Authorities, OnboardingCertificates
from tests.breaks.support.patching import existing, replaces

TITLE = "both CA certificates are joined without an empty line"
EXPECTED = (
    "test_auto_onboarding.py::test_certificates_of_the_choice*All*",
    "test_auto_onboarding.py::test_commands_of_an_onboarding",
)
ABOUT = r"found|pem_digests|1792"

before = existing(Authorities, "chosen")


@replaces(Authorities, "chosen")
def chosen(self: Authorities, certificates: OnboardingCertificates) -> str:
    """Leave the empty line out."""
    text: str = before(self, certificates)
    return text.replace("\n\n", "\n")
