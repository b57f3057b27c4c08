"""What was typed, what went over the line and what was asked of the service, in a file a reader may have.

Everything goes through the redactor of the harness; where a secret is left all the same, the test fails.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from harness.plugins import load_plugins
from harness.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: No transcript has any of these, whatever the redactor knows (nrfcloud fact sheet, sections 4.1, 4.2, 4.6).
NEVER = {
    "a private key": re.compile(r"PRIVATE KEY-----\s*[A-Za-z0-9+/]{16}"),
    "an attestation token": re.compile(r"2dn3hQFQ[A-Za-z0-9_-]{8}"),
    "a signature of a board": re.compile(r"0oRDoQEm[A-Za-z0-9_-]{8}"),
    "a JWT": re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\."),
    "a bearer token": re.compile(r"(?i)bearer [a-z0-9]{6}"),
}


class Transcript:
    """The transcript of one test."""

    def __init__(self, title: str) -> None:
        """Begin."""
        self._parts = [f"{title}\n{'=' * len(title)}"]
        self._redactor = Redactor.of_plugins(load_plugins())
        self._secrets: dict[str, str] = {}

    def secret(self, value: str, label: str) -> None:
        """Name something that must not be in it."""
        self._secrets[label] = value
        self._redactor.add(value, label)

    def add(self, heading: str, text: str) -> None:
        """Add a part."""
        self._parts.append(f"--- {heading}\n{text.rstrip()}")

    @property
    def unredacted(self) -> str:
        """All of it, as it was."""
        return "\n\n".join(self._parts) + "\n"

    def write(self, path: Path) -> str:
        """Write what may be read; return it."""
        text = self._redactor.redact(self.unredacted)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return text

    def left_over(self, text: str) -> list[str]:
        """Return which secrets are in a text, in any of the usual forms."""
        left = [label for label, pattern in NEVER.items() if pattern.search(text)]
        return left + [
            label for label, value in self._secrets.items() if any(form in text for form in _forms(value))
        ]


def _forms(secret: str) -> Iterable[str]:
    data = secret.encode()
    yield secret
    yield secret.replace("\n", "\\n")
    yield data.hex()
    yield base64.b64encode(data).decode().rstrip("=")
    # A line of it is too much: of a key that is written over several lines, none may be there.
    yield from (line for line in secret.splitlines() if len(line) >= 24 and "-----" not in line)


def readable(data: bytes) -> str:
    """Return bytes of a line as text: what cannot be seen is written as in Python."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def line_text(traffic: Iterable[Iterable[str]]) -> str:
    """Return what went over a line, one row for each line of text; ``>`` is what the host sent.

    :param traffic: directions, and bytes in hex.
    """
    runs: list[tuple[str, bytes]] = []
    for direction, data in traffic:
        if runs and runs[-1][0] == direction:
            runs[-1] = (direction, runs[-1][1] + bytes.fromhex(data))
        else:
            runs.append((direction, bytes.fromhex(data)))
    rows = []
    for direction, whole in runs:
        rows += [f"{direction} {readable(line)}" for line in re.split(rb"(?<=\n)", whole) if line]
    return "\n".join(rows)
