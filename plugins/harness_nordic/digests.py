"""Digests as the modem's credential list shows them."""

from __future__ import annotations

import hashlib


def pem_digest(text: str) -> str:
    """Return the upper-case SHA-256 of a text exactly as it was written, line breaks included.

    Source: nrfcloud fact sheet, section 5.4.
    """
    return hashlib.sha256(text.encode()).hexdigest().upper()


def pem_digests(text: str) -> set[str]:
    """Return the digests that a PEM text may have on a device that got it from the service.

    What the service makes of line ends is not known (nrfcloud fact sheet, section 10).
    """
    lines = text.splitlines(keepends=True)
    with_crlf = "".join(line.removesuffix("\n") + "\r\n" if line.endswith("\n") else line for line in lines)
    return {pem_digest(text), pem_digest(with_crlf)}
