"""Break: a device is configured although its update certificate has expired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

TITLE = "a device is configured although its update certificate has expired"
EXPECTED = ("test_status.py::test_update_certificate_ends[expired]",)
ABOUT = r"status|reason"

before = existing(fcc, "_check_expiry")


@replaces(fcc, "_check_expiry")
def _check_expiry(certificate: x509.Certificate, item: Item, now: datetime) -> None:
    """Let one certificate live for ever."""
    if item is not Item.UPDATE_AUTH_CERT:
        before(certificate, item, now)
