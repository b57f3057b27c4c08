"""As what a value may be written: the texts to look for."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass

from harness.redaction.escapes import ALL_ESCAPES
from harness.redaction.patterns import SHORTEST_SECRET

#: A shorter line of a secret of several lines may well stand in an innocent text.
SHORTEST_LINE = 12

_ARMOUR = b"-----"
_MOST_UNESCAPED = 4


@dataclass(frozen=True, slots=True)
class Form:
    """One text to look for.

    :ivar whole: it counts whole only, in one piece, for it has several lines.
    :ivar dumped: it is a dump: two digits, a separator, two digits.
    """

    text: bytes
    label: str
    whole: bool = False
    dumped: bool = False


def forms_of(value: bytes, label: str) -> list[Form]:
    """Return every text that stands for a value; without escapes, which are undone in what is read."""
    forms: dict[bytes, Form] = {}

    def add(text: bytes, *, whole: bool = False, dumped: bool = False) -> None:
        if len(text) >= SHORTEST_SECRET:
            forms.setdefault(text, Form(text, label, whole, dumped))

    for spelling in _spellings(value):
        add(spelling, whole=has_lines(spelling))
    for line in _lines(value):
        add(line)
    for text in dict.fromkeys((value, *_json(value), *_lines(value))):
        for encoded in _encodings(text):
            add(encoded)
        for separator in " :":
            dump = text.hex(separator).encode()
            add(dump, dumped=True)
            add(dump.upper(), dumped=True)
    return list(forms.values())


def has_lines(text: bytes) -> bool:
    """Tell whether a text is of several lines."""
    return b"\n" in text or b"\r" in text


def _spellings(value: bytes) -> list[bytes]:
    """Return the value with either line end, with blanks as forms send them, and without its escapes."""
    unix = value.replace(b"\r\n", b"\n")
    spellings = [value, unix, unix.replace(b"\n", b"\r\n")]
    stripped = unix.strip()
    if has_lines(unix):
        spellings += [stripped, stripped.replace(b"\n", b"\r\n")]
    spellings += [spelling.replace(b" ", b"+") for spelling in spellings if b" " in spelling]
    text = value.decode("utf-8", "surrogateescape")
    if not text.isascii():  # Python and XML may write such a character as the number of its code point
        with suppress(UnicodeEncodeError):
            spellings.append(text.encode("latin-1"))
    plain = value
    for _layer in range(_MOST_UNESCAPED):
        view = ALL_ESCAPES.undo(plain)
        if view is None:
            break
        plain = view.data
        spellings.append(plain)
    return spellings


def _lines(value: bytes) -> list[bytes]:
    """Return the lines of a secret of several lines, as a console says them; a PEM's frame is public."""
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) <= 1:
        return []
    return [line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith(_ARMOUR)]


def _json(value: bytes) -> list[bytes]:
    """Return the value as JSON holds it, for the bodies that are encoded as a whole afterwards."""
    text = value.decode("utf-8", "surrogateescape")
    return [
        json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogateescape")
        for ascii_only in (True, False)
    ]


def _encodings(raw: bytes) -> list[bytes]:
    encodings = [raw.hex().encode(), raw.hex().upper().encode()]
    for lead in range(3):
        # Three alignments; the characters that also depend on the neighbours are cut off.
        encoded = base64.b64encode(bytes(lead) + raw)
        piece = encoded[(lead * 8 + 5) // 6 : (lead + len(raw)) * 8 // 6]
        encodings += [piece, piece.replace(b"+", b"-").replace(b"/", b"_")]
    return encodings
