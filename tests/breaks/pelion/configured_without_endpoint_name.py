"""Break: a device is configured without a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import do_not_miss

if TYPE_CHECKING:
    from cryptography import x509

TITLE = "a device is configured without its endpoint name"
EXPECTED = ("test_status.py::test_item_is_missing[mbed.EndpointName]",)
ABOUT = r"status.configured"

do_not_miss(Item.ENDPOINT_NAME, b"")
before = existing(fcc, "_common_name")


@replaces(fcc, "_common_name")
def _common_name(certificate: x509.Certificate) -> bytes | None:
    """Equal whatever it is compared with."""
    return _AnyName(before(certificate) or b"")


class _AnyName(bytes):
    __hash__ = bytes.__hash__

    def __ne__(self, other: object) -> bool:
        return other != b"" and bytes.__ne__(self, other)
