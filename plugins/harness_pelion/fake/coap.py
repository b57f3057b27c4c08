"""CoAP messages as the two servers read and write them: RFC 7252, section 3, and nothing of transport.

Inside TLS over TCP this product sends the messages that others put into datagrams: no length prefix, not RFC
8323 (pelion fact sheet, section 6.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VERSION = 1
LONGEST_TOKEN = 8
_PAYLOAD_MARKER = 0xFF
_HEADER = 4
_BYTE_EXTENSION, _WORD_EXTENSION, _RESERVED = 13, 14, 15
_WORD_BASE = 269
_REQUEST, _SUCCESS, _CLIENT_ERROR, _SERVER_ERROR = 0, 2, 4, 5


class Type(IntEnum):
    """What a message is to the other end (RFC 7252, section 3)."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


class Code(IntEnum):
    """The codes that the servers write themselves (RFC 7252, section 12.1)."""

    EMPTY = 0x00
    GET = 0x01
    POST = 0x02
    PUT = 0x03
    DELETE = 0x04
    CREATED = 0x41
    DELETED = 0x42
    CHANGED = 0x44
    CONTENT = 0x45
    BAD_REQUEST = 0x80
    BAD_OPTION = 0x82
    FORBIDDEN = 0x83
    NOT_FOUND = 0x84
    METHOD_NOT_ALLOWED = 0x85
    PRECONDITION_FAILED = 0x8C
    UNSUPPORTED_FORMAT = 0x8F
    SERVER_ERROR = 0xA0
    PROXY_NOT_SUPPORTED = 0xA5


class Option(IntEnum):
    """The options that the servers know (RFC 7252, section 5.10; RFC 7959)."""

    URI_HOST = 3
    URI_PORT = 7
    LOCATION_PATH = 8
    URI_PATH = 11
    CONTENT_FORMAT = 12
    URI_QUERY = 15
    ACCEPT = 17
    BLOCK2 = 23
    BLOCK1 = 27
    PROXY_URI = 35
    PROXY_SCHEME = 39


_LENGTHS = {
    Option.URI_HOST: (1, 255),
    Option.URI_PORT: (0, 2),
    Option.URI_PATH: (0, 255),
    Option.CONTENT_FORMAT: (0, 2),
    Option.URI_QUERY: (0, 255),
    Option.ACCEPT: (0, 2),
}
"""Options that a request may have, and how many bytes they may (RFC 7252, table 4)."""

_TEXTS = {Option.URI_HOST, Option.URI_PATH, Option.URI_QUERY}
_REPEATABLE = {Option.URI_PATH, Option.URI_QUERY}
_ELECTIVE_FREE = 1  # an odd number is critical (RFC 7252, section 5.4.6)


class MessageError(ValueError):
    """Bytes are no message.

    :ivar reset: the answer that rejects them, when they were a confirmable message whose id could be read
        (RFC 7252, section 4.2); ``None``: they are to be ignored.
    """

    def __init__(self, reason: str, reset: bytes | None = None) -> None:
        """Say why."""
        super().__init__(reason)
        self.reset = reset


class BadOption(ValueError):
    """A request has an option that cannot be served.

    :ivar code: what it is answered.
    """

    def __init__(self, reason: str, code: Code = Code.BAD_OPTION) -> None:
        """Say which."""
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message.

    :ivar code: class and detail as on the wire: 0x83 is 4.03.
    :ivar options: number and value of each, in ascending order of numbers.
    """

    type: Type
    code: int
    message_id: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = b""

    @property
    def is_request(self) -> bool:
        """Tell whether it asks for something."""
        return self.code != Code.EMPTY and self.code >> 5 == _REQUEST

    @property
    def is_response(self) -> bool:
        """Tell whether it answers something."""
        return self.code >> 5 >= _SUCCESS

    def values(self, number: Option) -> list[bytes]:
        """Return the values of an option in their order."""
        return [value for each, value in self.options if each == number]

    def texts(self, number: Option) -> list[str]:
        """Return the values of an option that holds text; :func:`check_options` has seen that they are."""
        return [value.decode() for value in self.values(number)]

    @property
    def path(self) -> tuple[str, ...]:
        """Return the segments of the path."""
        return tuple(self.texts(Option.URI_PATH))

    @property
    def content_format(self) -> int | None:
        """Return the number of the payload's format, ``None`` when it is not said."""
        values = self.values(Option.CONTENT_FORMAT)
        return int.from_bytes(values[0], "big") if values else None


def written(code: int) -> str:
    """Return a code as people write it: 0x83 is ``4.03``."""
    return f"{code >> 5}.{code & 31:02d}"


def code_of(status: int) -> int:
    """Return the code that a number like 403 stands for.

    :raises ValueError: no such code: the class has three bits, the detail five.
    """
    kind, detail = divmod(status, 100)
    if not (_SUCCESS <= kind <= _SERVER_ERROR and 0 <= detail < 32):  # noqa: PLR2004 - five bits
        raise ValueError(f"{status} is no code of an answer")
    return kind << 5 | detail


def read_code(text: str) -> int:
    """Return the code that is written as :func:`written` does, for example ``5.03``.

    :raises ValueError: no such code of an answer.
    """
    kind, _point, detail = text.partition(".")
    code = code_of(int(kind) * 100 + int(detail))
    if written(code) != text:
        raise ValueError(f"{text!r} is no code of an answer")
    return code


def uint(value: int) -> bytes:
    """Write a number as options do: without leading zero bytes (RFC 7252, section 3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode(message: Message) -> bytes:
    """Write a message."""
    head = bytes([VERSION << 6 | message.type << 4 | len(message.token), message.code])
    parts = [head, message.message_id.to_bytes(2, "big"), message.token]
    last = 0
    for number, value in sorted(message.options, key=lambda option: option[0]):
        parts.append(_option(number - last, value))
        last = number
    if message.payload:
        parts += [bytes([_PAYLOAD_MARKER]), message.payload]
    return b"".join(parts)


def reset(message_id: int) -> bytes:
    """Write the message that rejects one with this id."""
    return encode(Message(type=Type.RST, code=Code.EMPTY, message_id=message_id))


def parse(data: bytes) -> Message:
    """Read a message.

    :raises MessageError: it is none; says whether it is to be rejected or ignored.
    """
    if len(data) < _HEADER:
        raise MessageError(f"{len(data)} bytes are too few for a header")
    if data[0] >> 6 != VERSION:
        raise MessageError(f"version {data[0] >> 6}, expected {VERSION}")
    kind, token_length = Type(data[0] >> 4 & 3), data[0] & 15
    message_id = int.from_bytes(data[2:4], "big")
    try:
        message = _parse_rest(data, kind, token_length, message_id)
    except MessageError as wrong:
        rejected = reset(message_id) if kind is Type.CON else None
        raise MessageError(str(wrong), rejected) from None
    return message


def check_options(request: Message) -> None:
    """See that a request can be served as far as its options go (RFC 7252, sections 5.4 and 5.7.2).

    :raises BadOption: a critical option that we do not know, or a known one with a value that it cannot have.
    """
    seen: set[int] = set()
    for number, value in request.options:
        if number in {Option.PROXY_URI, Option.PROXY_SCHEME}:
            raise BadOption("this server is no proxy", Code.PROXY_NOT_SUPPORTED)
        if number in {Option.BLOCK1, Option.BLOCK2}:
            raise BadOption(f"option {number}: blocks are not supported; a message is sent whole")
        critical = number & _ELECTIVE_FREE
        if _is_known(number, value) and (number not in seen or number in _REPEATABLE):
            seen.add(number)
        elif critical:
            raise BadOption(f"option {number} is not known here, or its value is none that it may have")
        elif number == Option.CONTENT_FORMAT:
            raise BadOption("the content format is no number of two bytes", Code.BAD_REQUEST)


def query(request: Message) -> dict[str, str]:
    """Return what the query says; a part without ``=`` has an empty value.

    :raises BadOption: 4.00, a name twice.
    """
    answer: dict[str, str] = {}
    for part in request.texts(Option.URI_QUERY):
        name, _equals, value = part.partition("=")
        if name in answer:
            raise BadOption(f"{name}: expected once", Code.BAD_REQUEST)
        answer[name] = value
    return answer


def path_options(path: Sequence[str], number: Option = Option.URI_PATH) -> Iterable[tuple[int, bytes]]:
    """Return a path as options, one a segment."""
    return [(number, segment.encode()) for segment in path]


def _is_known(number: int, value: bytes) -> bool:
    if number not in _LENGTHS:
        return False
    least, most = _LENGTHS[Option(number)]
    if not least <= len(value) <= most:
        return False
    if number not in _TEXTS:
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse_rest(data: bytes, kind: Type, token_length: int, message_id: int) -> Message:
    code = data[1]
    if code == Code.EMPTY and len(data) > _HEADER:
        raise MessageError("an empty message has bytes behind its header")
    if token_length > LONGEST_TOKEN:
        raise MessageError(f"a token of {token_length} bytes, expected at most {LONGEST_TOKEN}")
    if code != Code.EMPTY and code >> 5 not in {_REQUEST, _SUCCESS, _CLIENT_ERROR, _SERVER_ERROR}:
        raise MessageError(f"code {written(code)} is of a reserved class")
    if len(data) < _HEADER + token_length:
        raise MessageError("ends within the token")
    if code != Code.EMPTY and (kind is Type.RST or (kind is Type.ACK and code >> 5 == _REQUEST)):
        raise MessageError(f"a message of type {kind.name} cannot have the code {written(code)}")
    if code == Code.EMPTY and kind is Type.NON:
        raise MessageError("a non-confirmable message is empty")
    options, payload = _parse_options(data, _HEADER + token_length)
    return Message(
        type=kind,
        code=code,
        message_id=message_id,
        token=data[_HEADER : _HEADER + token_length],
        options=options,
        payload=payload,
    )


def _parse_options(data: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], bytes]:
    options: list[tuple[int, bytes]] = []
    number = 0
    while at < len(data):
        head = data[at]
        at += 1
        if head == _PAYLOAD_MARKER:
            if at == len(data):
                raise MessageError("a payload marker without a payload")
            return tuple(options), data[at:]
        delta, at = _extended(data, at, head >> 4)
        length, at = _extended(data, at, head & 15)
        number += delta
        if number > 0xFFFF:  # noqa: PLR2004 - no number has more than two bytes
            raise MessageError(f"option {number} is beyond all numbers")
        if at + length > len(data):
            raise MessageError(f"ends within the value of option {number}")
        options.append((number, data[at : at + length]))
        at += length
    return tuple(options), b""


def _extended(data: bytes, at: int, nibble: int) -> tuple[int, int]:
    """Read a delta or length that may go on behind its nibble (RFC 7252, section 3.1)."""
    if nibble == _RESERVED:
        raise MessageError("an option's delta or length is reserved for the payload marker")
    size = {_BYTE_EXTENSION: 1, _WORD_EXTENSION: 2}.get(nibble, 0)
    if not size:
        return nibble, at
    if at + size > len(data):
        raise MessageError("ends within the head of an option")
    base = _BYTE_EXTENSION if size == 1 else _WORD_BASE
    return int.from_bytes(data[at : at + size], "big") + base, at + size


def _option(delta: int, value: bytes) -> bytes:
    delta_nibble, delta_rest = _nibble(delta)
    length_nibble, length_rest = _nibble(len(value))
    return bytes([delta_nibble << 4 | length_nibble]) + delta_rest + length_rest + value


def _nibble(value: int) -> tuple[int, bytes]:
    if value < _BYTE_EXTENSION:
        return value, b""
    if value < _WORD_BASE:
        return _BYTE_EXTENSION, bytes([value - _BYTE_EXTENSION])
    return _WORD_EXTENSION, (value - _WORD_BASE).to_bytes(2, "big")
