"""CoAP messages: the examples of RFC 7252, another implementation, and nonsense."""

from __future__ import annotations

from dataclasses import replace

import aiocoap  # type: ignore[import-untyped]  # it has no annotations
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_pelion.virtual import coap
from harness_pelion.virtual.coap import MalformedMessage, Message, Type

#: RFC 7252, appendix A, figures 16 and 17.
EXAMPLES = [
    (
        "40017d34bb74656d7065726174757265",
        Message(type=Type.CON, code=coap.GET, id=0x7D34, options=((11, b"temperature"),)),
    ),
    ("60457d34ff32322e332043", Message(type=Type.ACK, code=coap.CONTENT, id=0x7D34, payload=b"22.3 C")),
    (
        "41017d3520bb74656d7065726174757265",
        Message(type=Type.CON, code=coap.GET, id=0x7D35, token=b"\x20", options=((11, b"temperature"),)),
    ),
    (
        "61457d3520ff32322e332043",
        Message(type=Type.ACK, code=coap.CONTENT, id=0x7D35, token=b"\x20", payload=b"22.3 C"),
    ),
    # Figure 20: an empty acknowledgement and a separate response; figure 18's GET was lost and sent again.
    ("60007d38", Message(type=Type.ACK, code=coap.EMPTY, id=0x7D38)),
]
#: Options whose numbers and lengths need one and two bytes more: 13 + 0x2f = 60; 269 + 0x1f = 300.
EXTENDED = [
    ("50010001d12f07", Message(type=Type.NON, code=coap.GET, id=1, options=((60, b"\7"),))),
    ("50010001e0001f", Message(type=Type.NON, code=coap.GET, id=1, options=((300, b""),))),
    ("50010001bd00" + "61" * 13, Message(type=Type.NON, code=coap.GET, id=1, options=((11, b"a" * 13),))),
    ("50010001be0001" + "61" * 270, Message(type=Type.NON, code=coap.GET, id=1, options=((11, b"a" * 270),))),
]
MALFORMED = {
    "nothing": "",
    "half a header": "4001",
    "version 0": "00017d34",
    "version 2": "80017d34",
    "token of 9 bytes": "49017d34000000000000000000",
    "token cut off": "44017d3400",
    "option cut off": "40017d34b4746573",
    "option's length cut off": "40017d34bd",
    "reserved delta": "40017d34f1",
    "reserved length": "40017d34bf",
    "marker without payload": "40017d34ff",
    "empty with content": "40007d34ff01",
    "empty with token": "41007d3401",
    "number too high": "40017d34e0ffff10",
}


def options(*numbers: int) -> st.SearchStrategy[tuple[tuple[int, bytes], ...]]:
    """Options of some numbers, in their order."""
    each = st.tuples(st.sampled_from(numbers), st.binary(max_size=300))
    return st.lists(each, max_size=5).map(lambda found: tuple(sorted(found, key=lambda option: option[0])))


messages = st.builds(
    Message,
    type=st.sampled_from(Type),
    code=st.sampled_from([1, 2, 3, 4, 0x41, 0x45, 0x84, 0xA0]),
    id=st.integers(0, 0xFFFF),
    token=st.binary(max_size=8),
    options=st.lists(
        st.tuples(st.sampled_from([1, 8, 11, 15, 35, 2048, 65000]), st.binary(max_size=300)), max_size=5
    ).map(lambda options: tuple(sorted(options, key=lambda option: option[0]))),
    payload=st.binary(max_size=50),
)


@pytest.mark.parametrize(("written", "message"), EXAMPLES + EXTENDED)
def test_examples(written: str, message: Message) -> None:
    """Literal bytes are read and written."""
    assert coap.decode(bytes.fromhex(written)) == message
    assert coap.encode(message).hex() == written


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    """What is no message is refused; a confirmable one with an id is rejected by a reset."""
    data = bytes.fromhex(MALFORMED[name])

    with pytest.raises(MalformedMessage) as caught:
        coap.decode(data)

    readable = len(data) >= 4 and data[0] >> 6 == 1
    assert caught.value.reset == (bytes((0x70, 0)) + data[2:4] if readable else None)


@given(messages, options(1, 4, 2048, 65000))
def test_another_implementation_reads_what_is_written(
    message: Message, opaque: tuple[tuple[int, bytes], ...]
) -> None:
    """What the device writes is what aiocoap reads; it refuses texts that are none, so options are bytes."""
    message = replace(message, options=opaque)
    read = aiocoap.Message.decode(coap.encode(message))

    assert (int(read.mtype), int(read.code), read.mid) == (message.type, message.code, message.id)
    assert (read.token, read.payload) == (message.token, message.payload)
    for number in {number for number, _value in opaque}:
        assert tuple(each.encode() for each in read.opt.get_option(number)) == message.values(number)


@given(st.text(max_size=20), st.text(max_size=300), st.integers(0, 65535), st.binary(max_size=60))
def test_what_another_implementation_writes_is_read(path: str, query: str, form: int, payload: bytes) -> None:
    """What aiocoap writes is what the device reads."""
    written = aiocoap.Message(code=aiocoap.PUT, payload=payload, _mtype=0, _mid=7, _token=b"abc")
    written.opt.uri_path = ("rd", path)
    written.opt.uri_query = (query,)
    written.opt.content_format = form

    read = coap.decode(written.encode())

    assert (read.type, read.code, read.id, read.token) == (Type.CON, coap.PUT, 7, b"abc")
    assert (read.path, read.content_format, read.payload) == (f"/rd/{path}", form, payload)
    assert read.values(15) == (query.encode(),)


@given(messages)
def test_round_trip(message: Message) -> None:
    """What is written is read again."""
    assert coap.decode(coap.encode(message)) == message


@given(st.binary(max_size=80) | messages.map(coap.encode).flatmap(lambda data: st.just(data[:-1])))
def test_no_nonsense_crashes(data: bytes) -> None:
    """Any bytes are a message or are refused; what was read can be shown and answered."""
    try:
        message = coap.decode(data)
    except MalformedMessage:
        return
    assert coap.shown(message.code)
    assert message.path.startswith("/")
    assert message.content_format is None or message.content_format >= 0
    coap.encode(message.reply(coap.CHANGED))


def test_a_reply_of_content() -> None:
    """The answer to a confirmable request is in its acknowledgement, with its id and token."""
    asked = coap.decode(bytes.fromhex("42031234abcdb130"))

    assert coap.encode(asked.reply(coap.CHANGED)).hex() == "62441234abcd"
    assert coap.encode(asked.reply(coap.CONTENT, b"\1", 42)).hex() == "62451234abcdc12aff01"


@pytest.mark.parametrize(
    ("code", "text"), [(0x83, "4.03 Forbidden"), (0x84, "4.04 Not Found"), (2, "POST"), (0xBF, "5.31")]
)
def test_codes_are_shown(code: int, text: str) -> None:
    """A method by its name, an answer by its number and phrase."""
    assert coap.shown(code) == text


def test_a_long_token_is_no_token() -> None:
    """More than 8 bytes cannot be written."""
    with pytest.raises(ValueError, match="the token has 9 bytes; at most 8 can be"):
        coap.encode(Message(type=Type.CON, code=coap.GET, id=1, token=bytes(9)))


def test_contents_are_not_shown() -> None:
    """A payload may be a private key: it is in no representation."""
    assert "secret" not in repr(Message(type=Type.CON, code=coap.PUT, id=1, payload=b"secret"))
