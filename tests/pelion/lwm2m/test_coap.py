"""CoAP messages: examples of RFC 7252 byte for byte, aiocoap as the judge of all others, and nonsense."""

from __future__ import annotations

import pytest
from aiocoap import Message as JudgesMessage  # type: ignore[import-untyped] # has no types
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_pelion.fake.coap import (
    BadOption,
    Code,
    Message,
    MessageError,
    Option,
    Type,
    check_options,
    code_of,
    encode,
    parse,
    query,
    uint,
    written,
)

EXAMPLES = {
    # RFC 7252, appendix A, figures 16 and 17
    "request": (
        "40017d34bb74656d7065726174757265",
        Message(type=Type.CON, code=0x01, message_id=0x7D34, options=((11, b"temperature"),)),
    ),
    "answer": (
        "60457d34ff32322e332043",
        Message(type=Type.ACK, code=0x45, message_id=0x7D34, payload=b"22.3 C"),
    ),
    "request with token": (
        "41017d3520bb74656d7065726174757265",
        Message(type=Type.CON, code=0x01, message_id=0x7D35, token=b"\x20", options=((11, b"temperature"),)),
    ),
    "answer with token": (
        "61457d3520ff32322e332043",
        Message(type=Type.ACK, code=0x45, message_id=0x7D35, token=b"\x20", payload=b"22.3 C"),
    ),
    "reset": ("70007d36", Message(type=Type.RST, code=0, message_id=0x7D36)),
    # written by hand after section 3.1: a delta of 13 and 269 and more, a length of 13 and 269 and more
    "byte extensions": (
        "50020001" + "dd0000" + "61" * 13,
        Message(type=Type.NON, code=0x02, message_id=1, options=((13, b"a" * 13),)),
    ),
    "word extensions": (
        "50020001" + "ee00000000" + "61" * 269,
        Message(type=Type.NON, code=0x02, message_id=1, options=((269, b"a" * 269),)),
    ),
    "words and a marker": (
        "50020001" + "e1000161" + "ff62",
        Message(type=Type.NON, code=0x02, message_id=1, options=((270, b"a"),), payload=b"b"),
    ),
}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_are_read_and_written(name: str) -> None:
    """Byte for byte in both directions."""
    data, message = EXAMPLES[name]
    assert parse(bytes.fromhex(data)) == message
    assert encode(message).hex() == data


OPTIONS = st.lists(
    st.tuples(
        st.sampled_from([3, 8, 11, 12, 15, 258, 2049, 65000]) | st.integers(1, 65535),
        st.binary(max_size=20) | st.binary(min_size=260, max_size=300),
    ),
    max_size=6,
).map(lambda options: tuple(sorted(options, key=lambda option: option[0])))
MESSAGES = st.builds(
    Message,
    type=st.sampled_from([Type.CON, Type.NON]),
    code=st.sampled_from([1, 2, 3, 4, 0x41, 0x44, 0x45, 0x80, 0x83, 0xA0]),
    message_id=st.integers(0, 0xFFFF),
    token=st.binary(max_size=8),
    options=OPTIONS,
    payload=st.binary(max_size=40),
)


@given(message=MESSAGES)
def test_what_is_written_is_read_again(message: Message) -> None:
    """Nothing is lost, whatever options there are."""
    assert parse(encode(message)) == message


@given(
    path=st.lists(st.text(max_size=30).filter(lambda text: len(text.encode()) <= 255), max_size=4),
    queries=st.lists(st.text(max_size=60).filter(lambda text: len(text.encode()) <= 255), max_size=4),
    payload=st.binary(max_size=300),
    token=st.binary(max_size=8),
    message_id=st.integers(0, 0xFFFF),
)
def test_the_judge_writes_what_we_read(
    path: list[str], queries: list[str], payload: bytes, token: bytes, message_id: int
) -> None:
    """A request of aiocoap's is the same to us, and ours is the same bytes."""
    judge = JudgesMessage(code=codes.POST, payload=payload)
    judge.mtype, judge.mid, judge.token = types.CON, message_id, token
    judge.opt.uri_path, judge.opt.uri_query = tuple(path), tuple(queries)
    judge.opt.content_format = 40
    data = judge.encode()
    message = parse(data)
    assert (message.type, message.code, message.message_id, message.token) == (0, 2, message_id, token)
    assert message.path == tuple(path)
    assert message.texts(Option.URI_QUERY) == queries
    assert message.content_format == 40
    assert message.payload == payload
    assert encode(message) == data


@settings(max_examples=60, deadline=None)
@given(message=MESSAGES)
def test_the_judge_reads_what_we_write(message: Message) -> None:
    """Header, token, payload and the values of repeatable options."""
    known = tuple(option for option in message.options if option[0] not in {3, 15, 11, 12, 8})
    texts = ((Option.URI_PATH, "räder".encode()), (Option.URI_QUERY, b"ep=a"))
    ours = Message(
        type=message.type,
        code=message.code,
        message_id=message.message_id,
        token=message.token,
        options=texts,
        payload=message.payload,
    )
    assert len(known) <= len(message.options)
    judge = JudgesMessage.decode(encode(ours))
    assert (int(judge.mtype), int(judge.code), judge.mid, judge.token) == (
        message.type,
        message.code,
        message.message_id,
        message.token,
    )
    assert judge.payload == message.payload
    assert judge.opt.uri_path == ("räder",)
    assert judge.opt.uri_query == ("ep=a",)


NONSENSE = {
    # what cannot be a message of this version is ignored; a confirmable one is reset (RFC 7252, section 4.2)
    "nothing": ("", None),
    "three bytes": ("400100", None),
    "version 0": ("00010001", None),
    "version 2": ("80010001", None),
    "version 3": ("c0010001", None),
    "token of nine": ("49010001" + "00" * 9, "70000001"),
    "token of fifteen": ("4f010001" + "00" * 15, "70000001"),
    "token cut short": ("4401000100", "70000001"),
    "class 1": ("4020abcd", "7000abcd"),
    "class 6": ("40c0abcd", "7000abcd"),
    "class 7": ("40e0abcd", "7000abcd"),
    "empty with token": ("4100abcd01", "7000abcd"),
    "empty with payload": ("4000abcdff01", "7000abcd"),
    "empty and not confirmable": ("5000abcd", None),
    "marker without payload": ("4001abcdff", "7000abcd"),
    "marker as a length": ("4001abcd1f00", "7000abcd"),
    "marker as a delta": ("4001abcdf100", "7000abcd"),
    "option without its extension": ("4001abcdd0", "7000abcd"),
    "option with half an extension": ("4001abcde001", "7000abcd"),
    "option cut short": ("4001abcdb361", "7000abcd"),
    "length cut short": ("4001abcd0dff", "7000abcd"),
    "number beyond all numbers": ("4001abcde0ffff", "7000abcd"),
    "not confirmable and malformed": ("5001abcdff", None),
    "acknowledgement and malformed": ("6045abcdff", None),
    "acknowledgement that asks": ("6001abcd", None),
    "reset that answers": ("7045abcd", None),
}


@pytest.mark.parametrize("name", sorted(NONSENSE))
def test_what_is_no_message_is_reset_or_ignored(name: str) -> None:
    """As RFC 7252 says: only a confirmable message is told."""
    data, expected = NONSENSE[name]
    with pytest.raises(MessageError) as caught:
        parse(bytes.fromhex(data))
    assert (caught.value.reset.hex() if caught.value.reset else None) == expected


@given(data=st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: b"\x44\x02\x00\x01" + tail))
def test_nothing_else_than_its_error_comes_of_nonsense(data: bytes) -> None:
    """Whatever comes is a message or is refused; a message can be looked at and written."""
    try:
        message = parse(data)
    except MessageError:
        return
    assert parse(encode(message)) == message
    try:
        check_options(message)
        query(message)
    except BadOption:
        return
    assert isinstance(message.path, tuple)
    assert message.content_format is None or message.content_format < 65536


def request(*options: tuple[int, bytes]) -> Message:
    """Return a request with some options."""
    return Message(type=Type.CON, code=Code.POST, message_id=1, options=options)


UNFIT = {
    "unknown and critical": ((9, b""), "4.02"),
    "if-match": ((1, b""), "4.02"),
    "path that is no text": ((11, b"\xff"), "4.02"),
    "path too long": ((11, b"a" * 256), "4.02"),
    "query that is no text": ((15, b"\xc3"), "4.02"),
    "host empty": ((3, b""), "4.02"),
    "port of three bytes": ((7, b"abc"), "4.02"),
    "accept of three bytes": ((17, b"abc"), "4.02"),
    "block of a request": ((27, b"\x08"), "4.02"),
    "block of an answer": ((23, b"\x02"), "4.02"),
    "proxy": ((35, b"coap://a"), "5.05"),
    "proxy scheme": ((39, b"coap"), "5.05"),
    "format of three bytes": ((12, b"abc"), "4.00"),
}


@pytest.mark.parametrize("name", sorted(UNFIT))
def test_options_that_cannot_be_served_are_refused(name: str) -> None:
    """4.02 for what is critical and not known; 5.05 to whoever takes us for a proxy."""
    option, code = UNFIT[name]
    with pytest.raises(BadOption) as caught:
        check_options(request(option))
    assert written(caught.value.code) == code


def test_what_may_be_once_is_critical_twice() -> None:
    """A second Accept is treated as if it were not known (RFC 7252, section 5.4.5)."""
    check_options(request((17, b"\x28")))
    with pytest.raises(BadOption):
        check_options(request((17, b"\x28"), (17, b"\x28")))


def test_what_is_elective_is_passed_over() -> None:
    """Size1, an ETag and a number that nobody knows do no harm."""
    check_options(request((4, b"\x01"), (11, b"bs"), (15, b"ep=a"), (60, b"\x01"), (65000, b"?")))


def test_numbers_are_written_as_short_as_can_be() -> None:
    """Zero is empty (RFC 7252, section 3.2)."""
    assert [uint(value).hex() for value in (0, 40, 255, 256, 11542)] == ["", "28", "ff", "0100", "2d16"]


@pytest.mark.parametrize(("status", "code"), [(403, 0x83), (503, 0xA3), (204, 0x44), (400, 0x80)])
def test_codes_are_found_by_their_numbers(status: int, code: int) -> None:
    """403 is 4.03."""
    assert code_of(status) == code
    assert written(code) == f"{status // 100}.{status % 100:02d}"


@pytest.mark.parametrize("status", [0, 1, 199, 232, 432, 600, -403])
def test_what_is_no_code_of_an_answer_is_refused(status: int) -> None:
    """The class has three bits, the detail five."""
    with pytest.raises(ValueError, match="no code of an answer"):
        code_of(status)
