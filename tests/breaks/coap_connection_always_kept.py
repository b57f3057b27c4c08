"""Break: the board keeps its connection although its firmware cannot."""

from __future__ import annotations

from harness_nordic.virtual.coap_variant import CoapVariant
from tests.breaks.support.patching import replaces

TITLE = "the board keeps its connection although its firmware cannot"
EXPECTED = ("test_coap.py::test_connection_is_not_kept",)
ABOUT = r"p/auth-jwt"


@replaces(CoapVariant, "_suspend")
def _suspend(self: CoapVariant) -> None:
    """Say nothing and go on."""
