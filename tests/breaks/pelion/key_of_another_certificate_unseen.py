"""Break: a device is configured with a key of another certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import fcc
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from cryptography import x509

TITLE = "a device is configured with a key that does not fit its certificate"
EXPECTED = ("test_status.py::test_key_of_another_certificate",)
ABOUT = r"status.configured"


@replaces(fcc, "_belong_together")
def _belong_together(certificate: x509.Certificate, key_data: bytes) -> bool:
    """Take any two for a pair."""
    return True
