"""What a driver reads in the files that it carries: secrets to be hidden, and chains to be judged.

It believes nothing of them: who judges a profile verifies its signature and its chains.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

_PEM_LINE = 64


def secrets_in_package(package: bytes) -> list[str]:
    """Return what of a provisioning package must never be shown: its private key, if it has one.

    A package that cannot be read has none that could be told from the rest; the board says what it thinks.
    """
    try:
        signer = json.loads(package)["signer"]
        pem = signer["private_key_pem"]
    except (ValueError, KeyError, TypeError):
        return []
    return [pem] if isinstance(pem, str) and pem else []


def chain_in_profile(profile: bytes, slot: str) -> tuple[list[str], str]:
    """Return the chain of a slot (PEM, leaf first) and the SHA-256 of its leaf, as a profile has them.

    :param profile: a certified profile, a JWS in compact form (guardian fact sheet, section 10.4).
    :raises ValueError: it is none, or has no chain for that slot.
    """
    parts = profile.strip().split(b".")
    if len(parts) != len(("header", "payload", "signature")):
        raise ValueError("the profile that it keeps is no JWS")
    try:
        payload: Any = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
        chains = {entry["slot"]: entry["chain"] for entry in payload["certificates"]}
        certificates = [base64.b64decode(text, validate=True) for text in chains.get(slot, ())]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ValueError(f"the profile that it keeps cannot be read: {error!r}") from error
    if not certificates:
        raise ValueError(f"the profile that it keeps has no chain for slot {slot}")
    return [_pem(der) for der in certificates], hashlib.sha256(certificates[0]).hexdigest()


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[start : start + _PEM_LINE] for start in range(0, len(text), _PEM_LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
