"""Redaction: no form of a secret is left, however it arrives. The oracle is plain ``in``."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import urllib.parse
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.redaction import LONGEST_LINE, Redactor, Secret

if TYPE_CHECKING:
    from pathlib import Path

VALUE = 'pa"ss/wörd+1?&'


def forms_of(value: str) -> list[str]:
    """Return the value as other programs would write it."""
    raw = value.encode()
    return [
        value,
        raw.hex(),
        raw.hex().upper(),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        urllib.parse.quote(value),
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
    ]


@pytest.mark.parametrize("form", forms_of(VALUE))
def test_every_form_of_a_value_is_replaced(form: str) -> None:
    """Whichever way a value is written, its label stands there instead."""
    redactor = Redactor()
    redactor.add(VALUE, "key of the team")

    assert redactor.redact(f"<{form}>") == "<[redacted: key of the team]>"


@pytest.mark.parametrize("lead", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_value_inside_base64_is_replaced(lead: str, encode: object) -> None:
    """A value within longer base64 text is found at every alignment: nothing of it decodes any more."""
    assert callable(encode)
    redactor = Redactor()
    redactor.add("correct-horse-battery", "key")
    text = encode(f"{lead}correct-horse-battery;tail".encode()).decode()

    clean = redactor.redact(text)

    assert "[redacted: key]" in clean
    for rest in clean.split("[redacted: key]"):
        cut = rest[: len(rest) // 4 * 4]
        assert b"horse" not in base64.urlsafe_b64decode(cut)
        assert len(rest) < len(text) - 20


def test_overlapping_values_leave_nothing() -> None:
    """Two secrets that overlap in the text are both gone, ends included."""
    redactor = Redactor()
    redactor.add("alpha-beta", "one")
    redactor.add("beta-gamma", "two")

    assert redactor.redact("x alpha-beta-gamma y") == "x [redacted: one] y"


def test_text_without_secrets_is_the_very_same() -> None:
    """Nothing is copied or changed when there is nothing to hide."""
    redactor = Redactor()
    redactor.add("something-else", "key")
    data = b"plain \xff bytes"

    assert redactor.redact_bytes(data) is data
    assert redactor.redact("plain") == "plain"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("a eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl b", "c2lnbmF0dXJl"),
        ("jwe eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFnMTIz b", "dGFnMTIz"),
        ("Authorization: Bearer abc.def-123~xyz b", "abc.def-123"),
        ("authorization: bearer   abcdef123 b", "abcdef123"),
    ],
)
def test_tokens_are_found_by_their_shape(text: str, gone: str) -> None:
    """Tokens nobody registered are found whole; what stands around them stays."""
    clean = Redactor().redact(text)

    assert gone not in clean
    assert clean.endswith(" b")
    assert "[redacted: " in clean


def test_private_key_of_openssl_is_found(tmp_path: Path) -> None:
    """Each kind of private key that OpenSSL writes is taken out, also when its end is cut off."""
    for arguments in (
        ("genpkey", "-algorithm", "ed25519"),
        ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
    ):
        key = subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout
        body = key.splitlines()[1]

        assert Redactor().redact(f"before\n{key}after") == "before\n[redacted: private key]\nafter"
        assert body not in Redactor().redact(key[: key.index("-----END")])


def test_public_certificate_stays() -> None:
    """What is public is not hidden."""
    text = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

    assert Redactor().redact(text) == text


def test_pattern_with_a_group_hides_the_group_only() -> None:
    """A pattern may name the part that is secret."""
    redactor = Redactor(())
    redactor.add_secret(Secret(label="pin", pattern=r"PIN=(?P<secret>\d+)"))

    assert redactor.redact("PIN=123456;") == "PIN=[redacted: pin];"


def test_short_value_is_refused() -> None:
    """A value under six characters would be found everywhere, so it is refused with a message."""
    with pytest.raises(UsageError, match=r"pin: .*too short.*at least 6 characters"):
        Redactor().add("12345", "pin")


def test_value_never_appears_in_a_refusal() -> None:
    """The message that refuses a value does not tell it."""
    with pytest.raises(UsageError) as caught:
        Redactor().add("zq9", "pin")

    assert "zq9" not in str(caught.value)


def test_broken_pattern_is_refused() -> None:
    """A pattern that is none is a usage error that names it."""
    with pytest.raises(UsageError, match=r"door: no regular expression.*'\(\('"):
        Redactor().add_pattern("((", "door")


@pytest.mark.parametrize("arguments", [{}, {"value": "abcdefg", "pattern": "x"}])
def test_secret_has_a_value_or_a_pattern(arguments: dict[str, str]) -> None:
    """Both or neither is a usage error."""
    with pytest.raises(UsageError, match="exactly one"):
        Secret(label="x", **arguments)


PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\nzzzz\n-----END PRIVATE KEY-----"
TEXT = f"start secret-value-1\nmulti-line\nsecret-value-2 more\n{PEM}\neyJhbGc.eyJpc3M.c2ln end"


@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_stream_does_not_depend_on_chunk_borders(cuts: list[int]) -> None:
    """However a stream is cut, what comes out is the same, and no part of a secret is in it."""
    redactor = Redactor()
    redactor.add("secret-value-1", "one")
    redactor.add("multi-line\nsecret-value-2", "two")
    stream = redactor.stream()
    borders = [0, *sorted(cuts), len(TEXT)]

    out = b"".join(stream.feed(TEXT[start:end].encode()) for start, end in itertools.pairwise(borders))
    out += stream.finish()

    assert out.decode() == (
        "start [redacted: one]\n[redacted: two] more\n[redacted: private key]\n[redacted: token] end"
    )


def test_stream_passes_lines_on_at_once() -> None:
    """A finished line does not wait for the next."""
    stream = Redactor().stream()

    assert stream.feed(b"one\ntw") == b"one\n"
    assert stream.feed(b"o\n") == b"two\n"
    assert stream.finish() == b""


def test_stream_without_line_ends_is_bounded() -> None:
    """A line that does not end is passed on in pieces; memory stays bounded."""
    stream = Redactor().stream()

    passed = b"".join(stream.feed(b"x" * 4096) for _chunk in range(64))

    assert len(passed) + len(stream.finish()) == 64 * 4096
    assert len(passed) >= 64 * 4096 - 2 * LONGEST_LINE


def test_bytes_that_are_no_text_survive() -> None:
    """Redaction changes nothing but secrets, also in bytes that are no UTF-8."""
    redactor = Redactor()
    redactor.add("secret-value", "key")

    assert redactor.redact_bytes(b"\xff\xfesecret-value\x80") == b"\xff\xfe[redacted: key]\x80"
