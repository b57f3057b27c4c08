"""Break: the choice AWS provisions the CA for CoAP."""

from __future__ import annotations

from harness_nordic.client_rules import Authorities, OnboardingCertificates
from tests.breaks.support.patching import existing, replaces

TITLE = "the choice AWS provisions the CA for CoAP"
EXPECTED = ("test_auto_onboarding.py::test_certificates_of_the_choice*AWS*",)
ABOUT = r"found|pem_digests"

before = existing(Authorities, "chosen")


@replaces(Authorities, "chosen")
def chosen(self: Authorities, certificates: OnboardingCertificates) -> str:
    """Take one for the other."""
    if certificates is OnboardingCertificates.AWS:
        return self.coap
    text: str = before(self, certificates)
    return text
