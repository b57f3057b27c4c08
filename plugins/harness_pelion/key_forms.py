"""The forms in which a private key is handled here: all of them are secrets, and none may be in a log."""

from __future__ import annotations

import base64


def known_forms(key_der: bytes) -> tuple[str, ...]:
    """Return by which texts a private key (DER) is known to the redactor: base64 and hexadecimal.

    Not PEM, which is a secret wherever it appears, nor the numbers of a C array: that is known by the name
    of its variable (:func:`harness_pelion.plugin.harness_secrets`). Two bytes of such an array are what
    hundreds of other arrays hold, so that every C file would be laid beside every key.
    """
    return base64.b64encode(key_der).decode(), key_der.hex()


def is_in(key_der: bytes, text: str) -> bool:
    """Tell whether a private key is in a text, in any of its forms and however the lines are broken."""
    squeezed = "".join(text.split()).lower()
    numbers = ",".join(f"0x{byte:02x}" for byte in key_der)
    lowered = (form.lower() for form in (*known_forms(key_der), numbers))
    return "privatekey-----" in squeezed or any(form in squeezed for form in lowered)
