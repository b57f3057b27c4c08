"""Break: a component takes a certificate of a key that it did not ask one for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import profile
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography import x509

    from harness_guardian.virtual.keys import PublicKey

TITLE = "a certificate of another key is installed"
NOTICED_BY = (
    "tests/guardian/virtual/test_profile_chains.py::test_leaf_of_another_key[*",
    "tests/guardian/virtual/test_profile_chains.py::test_leaves_swapped",
)
ABOUT = r"DID NOT RAISE|refus|ask"


@replaces(profile, "_carries")
def _carries(certificate: x509.Certificate, key: PublicKey) -> bool:
    """Look at no key."""
    return True
