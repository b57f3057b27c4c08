"""What modem firmware from nrf91x1 2.0.2 on looks at when a certificate is written."""

from __future__ import annotations

import base64
import binascii
import re
import warnings

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

_BEGIN = "-----BEGIN "
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)\r?\n-----END CERTIFICATE-----")
_LONGEST_LINE = 64


def is_certificate(text: str) -> bool:
    """Tell whether a text is one or more PEM certificates, each whole and readable.

    Wrong line breaks, a literal backslash-n and a cut-off text are what users get wrong (nrfcloud fact
    sheet, section 9).
    """
    blocks = _BLOCK.findall(text)
    return len(blocks) == text.count(_BEGIN) > 0 and all(map(_is_readable, blocks))


def _is_readable(block: str) -> bool:
    lines = block.replace("\r\n", "\n").split("\n")
    if any(len(line) > _LONGEST_LINE for line in lines):
        return False
    try:
        with warnings.catch_warnings():
            # The library means to refuse some certificates later, for example those with a negative number.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            x509.load_der_x509_certificate(base64.b64decode("".join(lines), validate=True))
    except (binascii.Error, ValueError, x509.InvalidVersion):
        return False
    return True
