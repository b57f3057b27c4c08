"""Break: the password of a private key is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import credentials
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

TITLE = "a key with a password opens with any"
EXPECTED = ("test_board_answers.py::test_key_with_a_password",)
ABOUT = r"DID NOT RAISE"

before = existing(credentials, "_load_key")


@replaces(credentials, "_load_key")
def _load_key(pem: bytes, password: str) -> ec.EllipticCurvePrivateKey | None:
    """Open it in any case."""
    key: ec.EllipticCurvePrivateKey | None = before(pem, "open-sesame" if b"ENCRYPTED" in pem else password)
    return key
