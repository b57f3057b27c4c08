"""Redaction of streams: however bytes arrive, what comes out is what redaction of the whole would give."""

from __future__ import annotations

import base64
import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.redaction import LONGEST_LINE, Redactor

if TYPE_CHECKING:
    from harness.redaction.stream import RedactedStream

PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\nzzzz\n-----END PRIVATE KEY-----"
TEXT = f"start secret-value-1\nmulti-line\nsecret-value-2 more\n{PEM}\neyJhbGc.eyJpc3M.c2ln end"


@settings(deadline=None)
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


KEY = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIBYrRnkjQm0Xg4vHc1LkfFbpxYrRnkjQm0Xg4vHc1LkfoAoGCCqGSM49
AwEHoUQDQgAEbpxYrRnkjQm0Xg4vHc1LkfFbpxYrRnkjQm0Xg4vHc1LkfFbpxYrR
nkjQm0Xg4vHc1LkfFbpxYrRnkjQm0Xg4vHc1Lg==
-----END EC PRIVATE KEY-----
"""
VALUES = {
    "api": "0123456789abcdef0123456789abcdef01234567",
    "overlapping": "89abcdef01234567 and more",
    "short": "pass-1",
    "lines": "first line\nsecond\nthird line of it",
    "same beginning": "first line\nsecond\nanother end",
    "config": "[wifi]\r\npsk = correct horse\r\n",
    "key": KEY,
}
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJib2FyZCJ9.c2lnbmF0dXJlLW9mLXRoZS1ib2FyZA"
PARTS = [
    *VALUES.values(),
    *(value.replace("\n", "\r\n") for value in VALUES.values()),
    *(json.dumps(value) for value in VALUES.values()),
    *(base64.b64encode(value.encode()).decode() for value in VALUES.values()),
    *(value.encode().hex() for value in VALUES.values()),
    *(value[: len(value) // 2] for value in VALUES.values()),
    *(value[len(value) // 2 :] for value in VALUES.values()),
    *(value[:10] + "..." for value in VALUES.values()),
    *(JWT, "-----BEGIN PRIVATE KEY-----\nMIGH\n", "-----END PRIVATE KEY-----", "Bearer abcdefgh"),
    *("\n", "\r\n", " ", "\\", "%", "...", "OK", "+CEREG: 5", "x" * 40, "\N{SNOWMAN}", "[redacted: api]"),
]


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    """One that knows values of every shape."""
    redactor = Redactor()
    for label, value in VALUES.items():
        redactor.add(value, label)
    return redactor


def fed(stream: RedactedStream, data: bytes, cuts: list[int]) -> bytes:
    """Return what a stream makes of data that arrives in pieces."""
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(borders)]
    return b"".join([*map(stream.feed, pieces), stream.finish()])


@settings(deadline=None)  # the machine may be busy
@given(parts=st.lists(st.sampled_from(PARTS), max_size=12), cuts=st.lists(st.integers(0, 5000), max_size=20))
def test_stream_is_as_good_as_the_whole(redactor: Redactor, parts: list[str], cuts: list[int]) -> None:
    """Values of several lines, overlapping ones, encoded ones and halves: a cut anywhere changes nothing."""
    data = "".join(parts).encode()

    out = fed(redactor.stream(), data, cuts)

    assert out == redactor.redact_bytes(data)
    for value in VALUES.values():
        assert value.encode() not in out


@settings(deadline=None)  # the machine may be busy
@given(parts=st.lists(st.sampled_from(PARTS), max_size=8))
def test_byte_by_byte(redactor: Redactor, parts: list[str]) -> None:
    """The same holds when every byte comes alone."""
    data = "".join(parts).encode()

    assert fed(redactor.stream(), data, list(range(len(data)))) == redactor.redact_bytes(data)


@settings(deadline=None)
@given(
    parts=st.lists(
        st.sampled_from([*list(VALUES.values())[:3], "z" * 200, "y" * 700, "=", "&"]), max_size=30
    ),
    cuts=st.lists(st.integers(0, 20_000), max_size=20),
)
def test_line_that_is_too_long(redactor: Redactor, parts: list[str], cuts: list[int]) -> None:
    """A line that does not end is passed on in pieces, and no secret is cut by that."""
    data = "".join(parts).encode()

    out = fed(redactor.stream(longest_line=2048), data, cuts)

    assert out == redactor.redact_bytes(data)


def test_a_key_without_end_is_bounded(redactor: Redactor) -> None:
    """A key that was cut off holds up a stream for 16 KiB at most, and all of that is taken out."""
    lines = [b"-----BEGIN PRIVATE KEY-----\n", *[b"A1b2" * 16 + b"\n"] * 600]
    stream = redactor.stream()

    passed = [stream.feed(line) for line in lines]
    out = b"".join(passed) + stream.finish()

    assert out == redactor.redact_bytes(b"".join(lines))
    assert out.startswith(b"[redacted: private key]")
    assert sum(map(len, passed)) > 0, "nothing came out before the end"
    assert stream.looked_at < 8 * sum(map(len, lines))


def test_a_key_is_passed_on_when_it_ends(redactor: Redactor) -> None:
    """What follows a key does not wait for more than the key's own last line."""
    stream = redactor.stream()
    key = KEY.replace("EC PRIVATE", "PRIVATE").splitlines(keepends=True)

    out = [stream.feed(line.encode()) for line in ["before\n", *key]]

    assert out[0] == b"before\n"
    assert not any(out[1:-1])
    assert out[-1].startswith(b"[redacted: ")


@pytest.mark.parametrize(
    ("piece", "most"),
    [
        (b"x", 2),  # one long line
        (b"\n", 2),
        (b"first line\nsecond\n", 4),  # the beginning of a value of several lines, again and again
        (b"-----BEGIN PRIVATE KEY-----\n", 8),
        (b"\\u0041\n", 2),
    ],
    ids=repr,
)
def test_nothing_is_read_again_and_again(redactor: Redactor, piece: bytes, most: int) -> None:
    """Byte by byte each byte is looked at a few times, whatever it is: the work grows with the stream."""
    stream = redactor.stream(longest_line=4096)
    total = 8_000

    for byte in itertools.islice(itertools.cycle(piece), total):
        stream.feed(bytes((byte,)))
    stream.finish()

    assert stream.looked_at <= most * total


def test_value_registered_in_the_middle(redactor: Redactor) -> None:
    """A value counts from the moment on at which it is registered, also for what is held back."""
    own = Redactor()
    stream = own.stream()

    stream.feed(b"now it is a sec")
    own.add("a secret of later", "late")

    assert stream.feed(b"ret of later\n") == b"now it is [redacted: late]\n"
