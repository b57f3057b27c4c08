"""Streams in pieces: what comes out does not depend on how the bytes were cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.console.matching import Matcher
from harness.redaction import Redactor
from harness_nordic.virtual.at_host import AtHost
from tests.soak.support.generators import cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.support.rounds import Rounds

LINE_PIECES = [b"AT", b'"', b"\r", b"\n", b"\r\n", b"\x08", b"+CMEE=1", b"%CMNG=0,1,0,", b"\0", b" ", b"\xff"]
LINES = st.lists(st.sampled_from(LINE_PIECES) | st.binary(max_size=3), max_size=30).map(b"".join)
TERMINATORS = ["CR", "LF", "CRLF", "NULL"]
CAPACITIES = [8, 64, 8192]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut bytes at some places."""
    marks = sorted({place % (len(data) + 1) for place in places})
    return [data[start:end] for start, end in zip([0, *marks], [*marks, len(data)], strict=True)]


def hears_the_same(pieces: Sequence[bytes], terminator: str, capacity: int) -> int:
    """Check that an AT host finds the same commands in pieces as in the whole, and return their number."""
    heard: list[list[str]] = []
    sent: list[bytes] = []
    for parts in ([b"".join(pieces)], pieces):
        commands: list[str] = []
        output = bytearray()

        def execute(command: str, commands: list[str] = commands) -> str:
            commands.append(command)
            return "OK\r\n"

        host = AtHost(execute, output.extend, terminator=terminator, capacity=capacity)
        for part in parts:
            host.receive(part)
        heard.append(commands)
        sent.append(bytes(output))

    assert heard[0] == heard[1]
    assert sent[0] == sent[1]
    assert all(command == command.strip(" \t\r\n\0") and command for command in heard[0])
    return len(heard[0])


def hides(pieces: Sequence[bytes], secret: str) -> None:
    """Check that a registered secret never leaves a stream of pieces."""
    redactor = Redactor(())
    redactor.add(secret, "thing")
    stream = redactor.stream()
    out = b"".join([*(stream.feed(piece) for piece in pieces), stream.finish()])

    assert secret.encode() not in out
    assert out == redactor.redact_bytes(b"".join(pieces))


def finds_the_first(pieces: Sequence[bytes], literal: str, *, as_regex: bool) -> bool:
    """Check that a console finds the first occurrence of what it waits for, and tell whether there is one."""
    matcher = Matcher(re.compile(literal) if as_regex else literal)
    buffer = bytearray()
    found = None
    for piece in pieces:
        seen = len(buffer)
        buffer += piece
        found = found or matcher.search(buffer, 0, seen)

    expected = b"".join(pieces).find(literal.encode())
    assert (found[0] if found else -1) == expected
    return found is not None


@given(
    data=LINES,
    places=st.lists(st.integers(0, 10_000), max_size=12),
    terminator=st.sampled_from(TERMINATORS),
    capacity=st.sampled_from(CAPACITIES),
)
def test_commands_do_not_depend_on_the_cuts(
    data: bytes, places: list[int], terminator: str, capacity: int
) -> None:
    """An AT host finds the same commands in the same bytes, whatever pieces they come in."""
    hears_the_same(cut(data, places), terminator, capacity)


def test_many_command_lines(rounds: Rounds) -> None:
    """The same, for many."""
    for random in rounds.run(50_000):
        data = b"".join(
            random.choice(LINE_PIECES) if random.random() < 0.8 else random.randbytes(random.randint(0, 3))
            for _piece in range(random.randint(0, 30))
        )
        found = hears_the_same(cuts(random, data), random.choice(TERMINATORS), random.choice(CAPACITIES))
        rounds.count(f"{found} commands")


@given(
    before=st.binary(max_size=40),
    secret=st.from_regex(r"[A-Za-z0-9]{8,24}", fullmatch=True),
    after=st.binary(max_size=40),
    places=st.lists(st.integers(0, 200), max_size=8),
)
def test_secret_is_found_over_every_cut(before: bytes, secret: str, after: bytes, places: list[int]) -> None:
    """A registered secret never leaves a stream, wherever the stream is cut."""
    hides(cut(before + secret.encode() + after, places), secret)


def test_many_secrets(rounds: Rounds) -> None:
    """The same, for many."""
    for random in rounds.run(20_000):
        secret = "".join(random.choices(LETTERS, k=random.randint(8, 24)))
        before, after = (random.randbytes(random.randint(0, 40)) for _side in range(2))
        pieces = cuts(random, before + secret.encode() + after)
        hides(pieces, secret)
        rounds.count(f"{len(pieces)} pieces")


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
    finds_the_first(cut(data, places), literal, as_regex=as_regex)


def test_many_first_matches(rounds: Rounds) -> None:
    """The same, for many."""
    for random in rounds.run(100_000):
        data = "".join(random.choices("abcd", k=random.randint(0, 120))).encode()
        literal = "".join(random.choices("abcd", k=random.randint(1, 5)))
        found = finds_the_first(cuts(random, data), literal, as_regex=random.random() < 0.5)
        rounds.count("found" if found else "not there")
