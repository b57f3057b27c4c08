"""Escapes undone, and where each part of the text came from; the oracle is the standard library."""

from __future__ import annotations

import html
import json
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.redaction.escapes import ALL_ESCAPES, ASCII_ESCAPES

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\\%&"), max_size=30)


def undone(text: str) -> str:
    """Return a text without one layer of escapes."""
    view = ALL_ESCAPES.undo(text.encode())
    return text if view is None else view.data.decode()


@settings(deadline=None)
@given(text=TEXTS)
def test_what_encoders_escape_is_undone(text: str) -> None:
    """JSON, addresses and XML: one layer gives the text back."""
    assert undone(json.dumps(text)[1:-1]).replace("\x7f", "") == text.replace("\x7f", "") or any(
        ord(each) < 32 for each in text
    )
    assert undone(urllib.parse.quote(text, safe="")) == text
    assert undone(html.escape(text)) == text


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (b"\\n\\r\\t\\b\\f\\\"\\'\\/\\\\", b"\n\r\t\b\f\"'/\\"),
        (b"\\u00e9\\u20AC", "é€".encode()),
        (b"\\ud83d\\ude00", "😀".encode()),
        (b"\\x41\\xff", b"A\xff"),
        (b"%41%2f%C3%A9", "A/é".encode()),
        (b"&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#X43;", b"<>&\"'ABC"),
        (b"&#1114112;", "\U0010ffff".encode()),
    ],
)
def test_each_escape(escaped: bytes, plain: bytes) -> None:
    """Every escape means what its language says."""
    view = ALL_ESCAPES.undo(escaped)

    assert view is not None
    assert view.data == plain


@pytest.mark.parametrize("text", [b"", b"plain", b"100 %", b"a & b", b"\\q", b"%zz", b"&nbsp;", b"\\u12"])
def test_what_is_no_escape(text: bytes) -> None:
    """Text without escapes is left alone."""
    assert ALL_ESCAPES.undo(text) is None


def test_only_ascii() -> None:
    """Where no secret has other characters, AT commands that look like escapes of them cost nothing."""
    assert ASCII_ESCAPES.undo(b"%CESQ: 1\\u20ac\\xff") is None
    view = ASCII_ESCAPES.undo(b"%41%CE")
    assert view is not None
    assert view.data == b"A%CE"


def test_where_each_part_came_from() -> None:
    """A part of the plain text is traced back to the bytes that gave it, escapes in whole."""
    data = b'ab\\ncd\\"%41ef&amp;'
    view = ALL_ESCAPES.undo(data)
    assert view is not None
    assert view.data == b'ab\ncd"Aef&'

    for part, source in (
        (b"ab", b"ab"),
        (b"\n", b"\\n"),
        (b'd"A', b'd\\"%41'),
        (b"f&", b"f&amp;"),
        (b"b\nc", b"b\\nc"),
    ):
        start = view.data.index(part)
        begin, end = view.source(start, start + len(part))
        assert data[begin:end] == source
