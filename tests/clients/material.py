"""Keys and certificates of our own making, by openssl."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def openssl(*arguments: str, directory: Path, stdin: bytes = b"") -> bytes:
    """Run openssl and return what it says."""
    done = subprocess.run(
        ["openssl", *arguments], cwd=directory, input=stdin, capture_output=True, check=True, timeout=60
    )
    return done.stdout


def make_authority(directory: Path, name: str = "authority") -> tuple[Path, Path]:
    """Make a certificate authority; return its certificate and its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}-key.pem"
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /O=Bench/CN={name}"
    openssl(*words.split(), "-keyout", key.name, "-out", certificate.name, directory=directory)
    return certificate, key


def digest(text: str, line_end: str = "\n") -> str:
    """Return what a modem says of a text that it holds (nrfcloud fact sheet, section 5.4)."""
    return hashlib.sha256(text.replace("\n", line_end).encode()).hexdigest().upper()
