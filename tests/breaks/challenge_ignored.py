"""Break: the board makes a nonce of its own where it was given a challenge."""

from __future__ import annotations

import secrets

from harness_nordic.virtual import modem
from tests.breaks.support.patching import replaces

TITLE = "the board makes a nonce of its own where it was given a challenge"
EXPECTED = ("test_claiming.py::test_nonce_of_a_token",)
ABOUT = r"challenge"


@replaces(modem, "_challenge")
def _challenge(text: str) -> bytes:
    """Do not look at it."""
    return secrets.token_bytes(16)
