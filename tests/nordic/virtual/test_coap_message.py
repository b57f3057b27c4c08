"""The board's CoAP codec: literal bytes of RFC 7252 and RFC 7959, and aiocoap as its peer."""

from __future__ import annotations

import pytest
from aiocoap import Message as PeerMessage  # type: ignore[import-untyped] # has no types
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.coap_message import (
    Block,
    Message,
    NoMessage,
    Option,
    Type,
    decode,
    encode_number,
    exponent_of,
    texts,
)

SHORT = st.binary(max_size=8)
#: Options that may stand more than once in any message, and whose values are any bytes or texts to aiocoap.
OPTIONS = st.lists(
    st.one_of(
        st.tuples(st.just(Option.URI_PATH.value), st.text(max_size=300).map(str.encode)),
        st.tuples(st.just(Option.URI_QUERY.value), st.text(max_size=20).map(str.encode)),
        st.tuples(st.integers(2000, 65000), st.binary(max_size=20)),
    ),
    max_size=6,
).map(lambda options: tuple(sorted(options, key=lambda option: option[0])))
MESSAGES = st.builds(
    Message,
    type=st.sampled_from(Type),
    code=st.sampled_from([0, 1, 2, 65, 68, 69, 95, 129, 131, 160]),
    number=st.integers(0, 0xFFFF),
    token=SHORT,
    options=OPTIONS,
    payload=st.binary(max_size=100),
)

FETCH = Message(
    type=Type.CON,
    code=1,
    number=0x1234,
    token=b"\xa1\xb2",
    options=(*texts(Option.URI_PATH, ["p", "cmd"]), *texts(Option.URI_QUERY, ["after="])),
)


def test_request() -> None:
    """A fetch is head, number, token, two segments of a path and a query."""
    assert FETCH.encode() == bytes.fromhex("42 01 1234 a1b2 b1 70 03 636d64 46 61667465723d")


def test_long_options() -> None:
    """Lengths and distances from 13 and from 269 on take one and two bytes more."""
    options = ((11, b"x" * 13), (24, b"y" * 269), (300, b""))
    data = Message(type=Type.NON, code=2, number=1, options=options).encode()

    assert data == (
        bytes.fromhex("50 02 0001 bd 00") + b"x" * 13 + bytes.fromhex("de 00 0000") + b"y" * 269
    ) + bytes.fromhex("e0 0007")
    assert decode(data).options == options


def test_answer() -> None:
    """An answer has a code that is written with a dot, and a payload behind a marker."""
    answer = decode(bytes.fromhex("62 45 1234 a1b2 c1 3c ff 8182"))

    assert (answer.type, answer.status, answer.number, answer.token) == (Type.ACK, 205, 0x1234, b"\xa1\xb2")
    assert (answer.option(Option.CONTENT_FORMAT), answer.payload) == (b"\x3c", b"\x81\x82")
    assert answer.block(Option.BLOCK2) is None


@given(MESSAGES)
def test_what_is_written_is_read(message: Message) -> None:
    """Reading gives back what was written."""
    assert decode(message.encode()) == message


@given(MESSAGES)
def test_peer_reads_what_is_written(message: Message) -> None:
    """Aiocoap reads the same, and writes the same bytes."""
    data = message.encode()
    peer = PeerMessage.decode(data)

    assert (int(peer.mtype), int(peer.code), peer.mid) == (message.type, message.code, message.number)
    assert (peer.token, peer.payload) == (message.token, message.payload)
    assert [(int(option.number), option.encode()) for option in peer.opt.option_list()] == list(
        message.options
    )


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    """Whatever comes is a message that means the same when it is written again, or none."""
    try:
        message = decode(data)
    except NoMessage:
        return
    assert decode(message.encode()) == message


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "no head"),
        ("40 01 12", "no head"),
        ("80 01 1234", "no head of version 1"),
        ("49 01 1234 000000000000000000", "no token"),
        ("42 01 1234 a1", "no token"),
        ("40 01 1234 ff", "a marker and no payload"),
        ("40 01 1234 f0", "no length"),
        ("40 01 1234 0f", "no length"),
        ("40 01 1234 d0", "no length"),
        ("40 01 1234 e000", "no length"),
        ("40 01 1234 b5 70", "cut off"),
    ],
)
def test_what_is_no_message(data: str, why: str) -> None:
    """Bytes that are no message are told from one, with the reason."""
    with pytest.raises(NoMessage, match=why):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("block", "value"),
    [
        (Block(0, more=False, exponent=0), ""),
        (Block(0, more=False, exponent=6), "06"),
        (Block(1, more=True, exponent=2), "1a"),
        (Block(16, more=False, exponent=6), "0106"),
        (Block(0xFFFFF, more=True, exponent=6), "fffffe"),
    ],
)
def test_blocks(block: Block, value: str) -> None:
    """Number, whether more follow, and size are in at most three bytes."""
    assert block.encode().hex() == value
    assert Block.decode(bytes.fromhex(value)) == block


@pytest.mark.parametrize("value", ["07", "00000006"])
def test_what_is_no_block(value: str) -> None:
    """Blocks of 2048 bytes there are not, nor options of four bytes."""
    with pytest.raises(NoMessage, match="block option"):
        Block.decode(bytes.fromhex(value))


@pytest.mark.parametrize(
    ("size", "exponent"), [(1, 0), (16, 0), (31, 0), (32, 1), (1023, 5), (1024, 6), (5000, 6)]
)
def test_sizes_of_blocks(size: int, exponent: int) -> None:
    """A block is never larger than what was asked for, if that is possible at all."""
    assert exponent_of(size) == exponent


@pytest.mark.parametrize(("number", "data"), [(0, ""), (60, "3c"), (255, "ff"), (256, "0100")])
def test_numbers(number: int, data: str) -> None:
    """A number takes as few bytes as possible; zero takes none."""
    assert encode_number(number).hex() == data
