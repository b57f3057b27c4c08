"""Break: a component does not look at the times in certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import chains
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

TITLE = "a certificate that is not valid now is installed"
NOTICED_BY = (
    "tests/guardian/virtual/test_profile_chains.py::test_leaf_that_is_not_valid_now[*",
    "tests/guardian/virtual/test_profile_chains.py::test_expired_authority",
)
ABOUT = r"DID NOT RAISE|refus|ask"


@replaces(chains, "_check_time")
def _check_time(certificate: x509.Certificate, what: str, now: datetime) -> None:
    """Look at no time."""
