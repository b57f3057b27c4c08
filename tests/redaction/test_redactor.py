"""Redaction: no form of a secret is left, however it arrives. The oracle is plain ``in``."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.redaction import Redactor, Secret, pieces
from tests.pytest_plugin.leaks.search import found_in

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


@pytest.mark.parametrize("look_at", [lambda buffer: buffer, memoryview], ids=["buffer", "view"])
def test_buffers_are_redacted_as_they_are_now(look_at: Any) -> None:
    """A test may attach a buffer that it goes on to fill: what it held then counts, and each time anew."""
    redactor = Redactor()
    redactor.add("secret-value", "key")
    filled = bytearray(b"nothing yet.")
    buffer = look_at(filled)

    assert redactor.redact_bytes(buffer) == b"nothing yet."
    filled[:] = b"secret-value"
    assert redactor.redact_bytes(buffer) == b"[redacted: key]"


def test_bytes_that_are_no_text_survive() -> None:
    """Redaction changes nothing but secrets, also in bytes that are no UTF-8."""
    redactor = Redactor()
    redactor.add("secret-value", "key")

    assert redactor.redact_bytes(b"\xff\xfesecret-value\x80") == b"\xff\xfe[redacted: key]\x80"


KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSYPUhrkuGcnlMEcY
IcbxVHKXQrkk9rkWRJJ1MEcYCyKhRANCAARBXUHVlnYjMEcYwRs5QGeuVHKXQrkk
9rkWRJJ1Kf4RJ0wxEZqKqLw0cOUx9QwU
-----END PRIVATE KEY-----
"""
KEY_LINES = KEY.splitlines()[1:-1]
TOKEN = "k3y-0f.the_team~" + "0123456789abcdefABCDEF" * 6


def in_others(value: str) -> dict[str, str]:
    """Return texts of other programs that hold a value, some of them with one encoding in another."""
    raw = value.encode()
    return {
        "json in json": json.dumps({"a": json.dumps({"b": value})}),
        "json in json in json": json.dumps(json.dumps(json.dumps([value]))),
        "json in base64": base64.b64encode(json.dumps({"key": value}).encode()).decode(),
        "base64 in a query": urllib.parse.urlencode({"key": base64.b64encode(raw).decode()}),
        "small percent escapes": re.sub("%..", lambda it: it[0].lower(), urllib.parse.quote(value, safe="")),
        "every character escaped": "".join(f"%{byte:02x}" for byte in raw),
        "unicode escapes": "".join(f"\\u{ord(each):04X}" for each in value),
        "xml": html.escape(value).replace("\n", "&#10;"),
        "xml of xml": html.escape(html.escape(value)).replace("\n", "&#xA;"),
        "repr": repr(value),
        "repr of a repr": repr(repr(value)),
        "repr of bytes": repr(raw),
        "crlf": value.replace("\n", "\r\n"),
        "dump": raw.hex(" "),
        "DUMP": raw.hex(":").upper(),
        "base64 in lines": base64.encodebytes(raw * 2).decode(),
    }


@pytest.mark.parametrize("value", [VALUE, KEY, TOKEN], ids=["special", "key", "token"])
@pytest.mark.parametrize("how", in_others("x"))
def test_value_within_other_formats(value: str, how: str) -> None:
    """One encoding within another hides nothing; the oracle undoes them with the standard library."""
    redactor = Redactor(())
    redactor.add(value, "it")

    clean = redactor.redact(f"before {in_others(value)[how]} after")

    assert clean.startswith("before ")
    assert clean.endswith("after")
    assert "[redacted: it]" in clean
    assert found_in(clean.encode(), {"it": value}) == set()


def test_lines_of_a_key_by_themselves() -> None:
    """A console says a key line by line, with whatever in between."""
    redactor = Redactor(())
    redactor.add(KEY, "key")

    for line in KEY_LINES:
        assert redactor.redact(f"<dbg> [12] {line}|") == "<dbg> [12] [redacted: key]|"
    assert redactor.redact(KEY) == "[redacted: key]"
    assert redactor.redact("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize("start", range(0, 100, 7))
def test_a_piece_gives_a_secret_away(start: int) -> None:
    """24 characters of a longer value are taken out wherever they lie in it; 23 in the middle stay."""
    redactor = Redactor(())
    redactor.add("".join(f"{number:03d}" for number in range(100, 145)), "it")
    value = "".join(f"{number:03d}" for number in range(100, 145))

    assert redactor.redact(f"x{value[start : start + 24]}y") == "x[redacted: it]y"
    assert redactor.redact(f"x{value[start : start + 23]}y") != "x[redacted: it]y"


@pytest.mark.parametrize("value", ["short-secret-value", TOKEN])
@pytest.mark.parametrize("dots", ["...", "\N{HORIZONTAL ELLIPSIS}"])
def test_what_a_program_cut_is_taken_out(value: str, dots: str) -> None:
    """What is left of a secret on either side of dots goes, from six characters on."""
    redactor = Redactor(())
    redactor.add(value, "it")

    assert redactor.redact(f"a '{value[:9]}{dots}") == f"a '[redacted: it]{dots}"
    assert redactor.redact(f"{dots}{value[-6:]}' b") == f"{dots}[redacted: it]' b"
    assert redactor.redact(f"{value[:12]}{dots}{value[-12:]}") == f"[redacted: it]{dots}[redacted: it]"
    assert redactor.redact(f"{value[:5]}{dots}{value[-5:]}") == f"{value[:5]}{dots}{value[-5:]}"


def test_values_that_come_later() -> None:
    """Values may be added at any time, thousands of them; each is known at once, and the older ones still."""
    redactor = Redactor()
    for number in range(300):
        redactor.add(f"secret number {number:05d}!", f"s{number}")
        assert redactor.redact(f"<secret number {number:05d}!>") == f"<[redacted: s{number}]>"

    assert redactor.redact("<secret number 00007!>") == "<[redacted: s7]>"
    batches, _loose = redactor.values._ready(0)
    assert len(batches) < 12, "batches are joined"


def test_pattern_that_comes_later() -> None:
    """A pattern with a hint may be added after the first search."""
    redactor = Redactor()
    redactor.add("something-else", "key")
    assert redactor.redact("PIN=1234") == "PIN=1234"

    redactor.add_secret(Secret(label="pin", pattern=r"PIN=(?P<secret>\d+)", hint="PIN="))

    assert redactor.redact("PIN=1234 something-else") == "PIN=[redacted: pin] [redacted: key]"


@pytest.mark.parametrize("word", ["bearer", "Bearer", "BEARER", "bEaReR"])
def test_hints_ignore_case_with_their_pattern(word: str) -> None:
    """A pattern that ignores case is tried whichever way its hint is written."""
    assert Redactor().redact(f"{word} abcdef") == f"{word} [redacted: bearer token]"


def test_password_in_an_address() -> None:
    """What stands before the host of an address is nobody's business; a port is no password."""
    clean = Redactor().redact

    assert (
        clean("at https://me:s3cr3t@host:80/x")
        == "at https://me:[redacted: password in an address]@host:80/x"
    )
    assert clean("at http://127.0.0.1:8080/mail@host") == "at http://127.0.0.1:8080/mail@host"


def test_text_that_is_no_text() -> None:
    """Halves of characters, which no encoding takes, are written as escapes where something is replaced."""
    redactor = Redactor()
    redactor.add("secret-value", "key")

    assert redactor.redact("\ud800 nothing") == "\ud800 nothing"
    assert redactor.redact("\ud800 secret-value") == "\\ud800 [redacted: key]"
    assert redactor.redact("\udcff secret-value") == "\udcff [redacted: key]"


def test_watchers_hear_of_each_value_once() -> None:
    """Whoever watches hears of what was there before and of what comes, once each; learning tells nobody."""
    redactor = Redactor()
    redactor.add("first value", "one")
    heard: list[tuple[bytes, str]] = []

    redactor.watch(lambda value, label: heard.append((value, label)))
    redactor.add("second value", "two")
    redactor.add("second value", "again")
    redactor.learn(b"third value", "three")

    assert heard == [(b"first value", "one"), (b"second value", "two")]
    assert redactor.redact("third value") == "[redacted: three]"


def test_nasty_texts_take_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a text repeats what secrets begin with, it is laid beside a form a few times a byte."""
    laid = 0
    lay_beside = pieces._lay_beside

    def count(*arguments: Any) -> Any:
        nonlocal laid
        laid += 1
        return lay_beside(*arguments)

    monkeypatch.setattr(pieces, "_lay_beside", count)
    redactor = Redactor()
    redactor.add("a" * 40, "one letter")
    redactor.add("ab" * 30, "two letters")
    data = (b"a" * 1000 + b"ab" * 1000 + b"b") * 10

    clean = redactor.redact_bytes(data)

    assert b"aaaaaa" not in clean
    assert laid <= 8 * len(data)


@pytest.mark.parametrize(
    "text",
    [
        "eyJ",
        "eyJ.",
        "a.",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN A ",
        "bearer ",
        "://a:",
        "2dn3hQFQ",
        "...",
    ],
)
def test_patterns_are_linear(text: str) -> None:
    """Much of what patterns begin with is done at once; reading runs again and again would take hours."""
    data = text.encode() * (500_000 // len(text))

    assert len(Redactor().redact_bytes(data)) <= 4 * len(data)
