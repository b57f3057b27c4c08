"""The OpenSSL command line as the second implementation: keys, signatures, requests."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OPENSSL = shutil.which("openssl") or "openssl"


def run(*arguments: str, data: bytes = b"") -> str:
    """Run a command and return what it prints."""
    done = subprocess.run([OPENSSL, *arguments], input=data, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


def point_to_der(point: bytes) -> bytes:
    """Make a SubjectPublicKeyInfo of an uncompressed P-256 point, by the literal head of the fact sheet."""
    return bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point


def der_signature(raw: bytes) -> bytes:
    """Turn r and s into the ECDSA-Sig-Value that OpenSSL wants."""

    def integer(value: bytes) -> bytes:
        stripped = value.lstrip(b"\0") or b"\0"
        if stripped[0] & 0x80:
            stripped = b"\0" + stripped
        return b"\x02" + bytes([len(stripped)]) + stripped

    body = integer(raw[:32]) + integer(raw[32:])
    return b"\x30" + bytes([len(body)]) + body


def verifies(tmp_path: Path, spki: bytes, raw_signature: bytes, signed: bytes) -> bool:
    """Let OpenSSL judge an ECDSA P-256 signature over SHA-256."""
    key, signature = tmp_path / "key.der", tmp_path / "signature.der"
    key.write_bytes(spki)
    signature.write_bytes(der_signature(raw_signature))
    said = run(
        "dgst", "-sha256", "-verify", str(key), "-keyform", "DER", "-signature", str(signature), data=signed
    )
    return said.strip() == "Verified OK"
