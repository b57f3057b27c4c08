"""Break: by CoAP a board is believed whatever key has signed its JWT."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake import jwt
from harness_nordic.fake.coap_endpoint import CoapEndpoint
from tests.breaks.support.patching import existing, replaces

TITLE = "by CoAP a board is believed whatever key has signed its JWT"
EXPECTED = ("test_coap.py::test_forged_jwt",)
ABOUT = r"403"

before = existing(CoapEndpoint, "authenticate")
signature_is_valid = existing(jwt, "signature_is_valid")
believing: list[bool] = []


@replaces(jwt, "signature_is_valid")
def _signature_is_valid(key: Any, signature: bytes, signed: bytes) -> bool:
    """Believe what comes by CoAP."""
    return bool(believing) or signature_is_valid(key, signature, signed)


@replaces(CoapEndpoint, "authenticate")
async def authenticate(self: CoapEndpoint, request: Any) -> Any:
    """Believe it."""
    believing.append(True)
    try:
        return await before(self, request)
    finally:
        believing.pop()
