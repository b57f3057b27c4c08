"""Streams in pieces: what comes out does not depend on how the bytes were cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from harness.console.matching import Matcher
from harness.redaction import Redactor
from harness_nordic.virtual.at_host import AtHost

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = st.lists(
    st.sampled_from(
        [b"AT", b'"', b"\r", b"\n", b"\r\n", b"\x08", b"+CMEE=1", b"%CMNG=0,1,0,", b"\0", b" ", b"\xff"]
    )
    | st.binary(max_size=3),
    max_size=30,
).map(b"".join)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut bytes at some places."""
    marks = sorted({place % (len(data) + 1) for place in places})
    return [data[start:end] for start, end in zip([0, *marks], [*marks, len(data)], strict=True)]


@given(
    data=LINES,
    places=st.lists(st.integers(0, 10_000), max_size=12),
    terminator=st.sampled_from(["CR", "LF", "CRLF", "NULL"]),
    capacity=st.sampled_from([8, 64, 8192]),
)
def test_commands_do_not_depend_on_the_cuts(
    data: bytes, places: list[int], terminator: str, capacity: int
) -> None:
    """An AT host finds the same commands in the same bytes, whatever pieces they come in."""
    heard: list[list[str]] = []
    sent: list[bytes] = []
    for pieces in ([data], cut(data, places)):
        commands: list[str] = []
        output = bytearray()

        def execute(command: str, commands: list[str] = commands) -> str:
            commands.append(command)
            return "OK\r\n"

        host = AtHost(execute, output.extend, terminator=terminator, capacity=capacity)
        for piece in pieces:
            host.receive(piece)
        heard.append(commands)
        sent.append(bytes(output))

    assert heard[0] == heard[1]
    assert sent[0] == sent[1]
    assert all(command == command.strip(" \t\r\n\0") and command for command in heard[0])


@given(
    before=st.binary(max_size=40),
    secret=st.from_regex(r"[A-Za-z0-9]{8,24}", fullmatch=True),
    after=st.binary(max_size=40),
    places=st.lists(st.integers(0, 200), max_size=8),
)
def test_secret_is_found_over_every_cut(before: bytes, secret: str, after: bytes, places: list[int]) -> None:
    """A registered secret never leaves a stream, wherever the stream is cut."""
    redactor = Redactor(())
    redactor.add(secret, "thing")
    data = before + secret.encode() + after

    stream = redactor.stream()
    out = b"".join([*(stream.feed(piece) for piece in cut(data, places)), stream.finish()])

    assert secret.encode() not in out
    assert out == redactor.redact_bytes(data)


@given(
    data=st.binary(max_size=120).map(lambda raw: bytes(byte % 4 + 97 for byte in raw)),
    places=st.lists(st.integers(0, 200), max_size=10),
    literal=st.text("abcd", min_size=1, max_size=5),
    as_regex=st.booleans(),
)
def test_first_match_does_not_depend_on_the_cuts(
    data: bytes, places: list[int], literal: str, *, as_regex: bool
) -> None:
    """A console finds the first occurrence of what it waits for, although it looks at each byte once."""
    assume(literal)
    matcher = Matcher(re.compile(literal) if as_regex else literal)
    buffer = bytearray()
    found = None
    for piece in cut(data, places):
        seen = len(buffer)
        buffer += piece
        found = found or matcher.search(buffer, 0, seen)

    expected = data.find(literal.encode())
    assert (found[0] if found else -1) == expected
