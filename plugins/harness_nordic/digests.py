"""Digests as the modem's credential list shows them."""

from __future__ import annotations

import hashlib


def pem_digest(text: str) -> str:
    """Return the upper-case SHA-256 of a text exactly as it was written, line breaks included.

    Source: nrfcloud fact sheet, section 5.4.
    """
    return hashlib.sha256(text.encode()).hexdigest().upper()
