"""Looks for secrets in what a session left behind, by undoing encodings; shares nothing with the redactor."""

from __future__ import annotations

import binascii
import html
import re
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SHORTEST_PART = 24
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}[ :-]?){6,}")
_ESCAPE = re.compile(rb"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_MOST_LAYERS = 2


def found_in(data: bytes, secrets: Mapping[str, str]) -> set[str]:
    """Return which secrets are in data in whatever encoding, whole or in part; by name."""
    wanted = {name: parts_of(secret) for name, secret in secrets.items()}
    for text in views(data):
        for name in [name for name, parts in wanted.items() if any(part in text for part in parts)]:
            del wanted[name]
        if not wanted:
            break
    return secrets.keys() - wanted.keys()


def parts_of(secret: str) -> list[bytes]:
    """Return the secret itself, its long lines, and the beginning, middle and end of what is long."""
    raw = secret.strip().encode()
    lines = [line for line in raw.splitlines() if len(line) >= 12 and not line.startswith(b"-----")]
    texts = [raw, raw.replace(b"\n", b"\r\n"), *(lines if len(lines) > 1 else [])]
    for line in lines:
        if len(line) >= 2 * SHORTEST_PART:
            middle = len(line) // 2
            texts += [line[:SHORTEST_PART], line[middle : middle + SHORTEST_PART], line[-SHORTEST_PART:]]
    return texts


def views(data: bytes, layers: int = _MOST_LAYERS) -> Iterator[bytes]:
    """Give data as it is and with encodings undone, also one within the other."""
    yield data
    if not layers:
        return
    for undo in (_unquote, _unescape, _html, _unwrap, _base64, _hex):
        plain = undo(data)
        if plain and plain != data:
            yield from views(plain, layers - 1)


def _unquote(data: bytes) -> bytes:
    return urllib.parse.unquote_to_bytes(data.replace(b"+", b" ")) if b"%" in data else b""


def _unescape(data: bytes) -> bytes:
    return _ESCAPE.sub(_meaning, data) if b"\\" in data else b""


def _meaning(escape: re.Match[bytes]) -> bytes:
    text = escape[1]
    if len(text) == 1:
        return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(text, text)
    if text[:1] == b"u":
        return chr(int(text[1:], 16)).encode("utf-8", "replace")
    return bytes.fromhex(text[1:].decode())


def _html(data: bytes) -> bytes:
    return html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _unwrap(data: bytes) -> bytes:
    """Undo what wraps lines, as MIME does."""
    return re.sub(rb"\s*\n\s*", b"", data)


def _base64(data: bytes) -> bytes:
    found = []
    # Reports repeat themselves: each run of letters is decoded once.
    for run in dict.fromkeys(_BASE64.findall(data.translate(_URL_SAFE))):
        for lead in range(4):
            end = lead + (len(run) - lead) // 4 * 4
            found.append(binascii.a2b_base64(run[lead:end]))
    return b"\0".join(found)


def _hex(data: bytes) -> bytes:
    found = []
    for run in dict.fromkeys(_HEX.findall(data)):
        digits = re.sub(rb"[ :-]", b"", run)
        for lead in range(2):
            piece = digits[lead:]
            found.append(binascii.unhexlify(piece[: len(piece) // 2 * 2]))
    return b"\0".join(found)


def files_below(directories: Iterable[Path]) -> list[Path]:
    """Return every file of some directories."""
    return sorted(
        file
        for directory in directories
        for file in directory.rglob("*")
        if file.is_file() and not file.is_symlink()
    )
