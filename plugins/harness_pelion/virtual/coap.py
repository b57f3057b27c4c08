"""CoAP messages: RFC 7252, section 3, as the device reads and writes them.

Inside TLS each message is a plain datagram, without a length in front (pelion fact sheet, section 6.2): one
record of TLS carries one message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

VERSION = 1
_HEADER = 4
_LONGEST_TOKEN = 8
_PAYLOAD_MARKER = 0xFF
_ONE_MORE, _TWO_MORE, _RESERVED = 13, 14, 15
_ONE_MORE_FROM, _TWO_MORE_FROM = 13, 269
_HIGHEST_OPTION = 0xFFFF


class Type(IntEnum):
    """Types of messages (RFC 7252, section 3)."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


class Option(IntEnum):
    """Numbers of options (RFC 7252, section 5.10)."""

    LOCATION_PATH = 8
    URI_PATH = 11
    CONTENT_FORMAT = 12
    URI_QUERY = 15
    ACCEPT = 17


class Format(IntEnum):
    """Content formats (RFC 7252, section 12.3; OMA LwM2M 1.0, table 3; 99 is the one used before 11542)."""

    TEXT = 0
    LINKS = 40
    OPAQUE = 42
    OLD_TLV = 99
    TLV = 11542


def code(class_: int, detail: int) -> int:
    """Return the number of a code that is written ``class.detail``, for example 4.04."""
    return class_ << 5 | detail


EMPTY = 0
GET, POST, PUT, DELETE = 1, 2, 3, 4
CREATED, DELETED, CHANGED, CONTENT = code(2, 1), code(2, 2), code(2, 4), code(2, 5)
BAD_REQUEST, BAD_OPTION, FORBIDDEN = code(4, 0), code(4, 2), code(4, 3)
NOT_FOUND, METHOD_NOT_ALLOWED, NOT_ACCEPTABLE = code(4, 4), code(4, 5), code(4, 6)
INTERNAL_SERVER_ERROR = code(5, 0)
_METHODS = {GET: "GET", POST: "POST", PUT: "PUT", DELETE: "DELETE"}
_PHRASES = {
    BAD_REQUEST: "Bad Request",
    code(4, 1): "Unauthorized",
    BAD_OPTION: "Bad Option",
    FORBIDDEN: "Forbidden",
    NOT_FOUND: "Not Found",
    METHOD_NOT_ALLOWED: "Method Not Allowed",
    NOT_ACCEPTABLE: "Not Acceptable",
    code(4, 12): "Precondition Failed",
    code(4, 15): "Unsupported Content-Format",
    INTERNAL_SERVER_ERROR: "Internal Server Error",
    code(5, 3): "Service Unavailable",
}
#: What the device understands and may pass over: odd numbers are critical (RFC 7252, section 5.4.1).
_KNOWN_CRITICAL = frozenset({3, 7, Option.URI_PATH, Option.URI_QUERY, Option.ACCEPT})


class MalformedMessage(Exception):
    """What arrived is no CoAP message.

    :ivar reset: the message that rejects it, when it has an id and asked for an answer.
    """

    def __init__(self, text: str, reset: bytes | None = None) -> None:
        """Say what is wrong."""
        super().__init__(text)
        self.reset = reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message.

    :ivar code: method or response code.
    :ivar id: 16 bits that answer and question share.
    :ivar token: 0 to 8 bytes that response and request share.
    :ivar options: numbers and values; those of one number in their order.
    """

    type: Type
    code: int
    id: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = field(default=b"", repr=False)

    @property
    def is_request(self) -> bool:
        """Whether its code is that of a method."""
        return 0 < self.code < code(1, 0)

    @property
    def is_response(self) -> bool:
        """Whether its code is one that answers."""
        return code(2, 0) <= self.code < code(6, 0)

    @property
    def succeeded(self) -> bool:
        """Whether it is a response of class 2."""
        return self.code >> 5 == 2  # noqa: PLR2004 - the class of success

    def values(self, number: int) -> tuple[bytes, ...]:
        """Return the values of an option."""
        return tuple(value for each, value in self.options if each == number)

    @property
    def path(self) -> str:
        """Return the path, as ``/0/1``; bytes that are no text are replaced."""
        return "/" + "/".join(each.decode(errors="replace") for each in self.values(Option.URI_PATH))

    @property
    def content_format(self) -> int | None:
        """Return the number of the payload's format, ``None`` when it is not said."""
        values = self.values(Option.CONTENT_FORMAT)
        return int.from_bytes(values[0], "big") if values else None

    @property
    def unknown_critical(self) -> bool:
        """Whether an option is critical and not known: then the message may not be obeyed."""
        return any(number % 2 and number not in _KNOWN_CRITICAL for number, _value in self.options)

    def reply(self, code: int, payload: bytes = b"", content_format: int | None = None) -> Message:
        """Return the answer to this request, carried by the acknowledgement if it asked for one."""
        options = () if content_format is None else ((int(Option.CONTENT_FORMAT), uint(content_format)),)
        kind = Type.ACK if self.type is Type.CON else Type.NON
        return Message(type=kind, code=code, id=self.id, token=self.token, options=options, payload=payload)


def shown(code: int) -> str:
    """Write a code for a person: a method's name, or ``4.03 Forbidden``."""
    if code in _METHODS:
        return _METHODS[code]
    return f"{code >> 5}.{code & 0x1F:02} {_PHRASES.get(code, '')}".rstrip()


def uint(number: int) -> bytes:
    """Write a number as an option's value: without zeros in front (RFC 7252, section 3.2)."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def paths(number: int, text: str) -> tuple[tuple[int, bytes], ...]:
    """Return an option for each part of a path."""
    return tuple((number, part.encode()) for part in text.strip("/").split("/") if part)


def encode(message: Message) -> bytes:
    """Write a message.

    :raises ValueError: its token is too long.
    """
    if len(message.token) > _LONGEST_TOKEN:
        raise ValueError(f"the token has {len(message.token)} bytes; at most {_LONGEST_TOKEN} can be")
    first = VERSION << 6 | message.type << 4 | len(message.token)
    written = bytearray((first, message.code)) + message.id.to_bytes(2, "big") + message.token
    before = 0
    for number, value in sorted(message.options, key=lambda each: each[0]):
        delta, more_delta = _nibble(number - before)
        length, more_length = _nibble(len(value))
        written.append(delta << 4 | length)
        written += more_delta + more_length + value
        before = number
    if message.payload:
        written.append(_PAYLOAD_MARKER)
        written += message.payload
    return bytes(written)


def _nibble(number: int) -> tuple[int, bytes]:
    if number < _ONE_MORE_FROM:
        return number, b""
    if number < _TWO_MORE_FROM:
        return _ONE_MORE, bytes((number - _ONE_MORE_FROM,))
    return _TWO_MORE, (number - _TWO_MORE_FROM).to_bytes(2, "big")


def decode(data: bytes) -> Message:
    """Read a message.

    :raises MalformedMessage: it is none.
    """
    if len(data) < _HEADER:
        raise MalformedMessage("it is shorter than a header")
    if data[0] >> 6 != VERSION:
        raise MalformedMessage("it is of another version")
    kind, message_id = Type(data[0] >> 4 & 3), int.from_bytes(data[2:4], "big")
    try:
        return _decode(data, kind, message_id)
    except MalformedMessage as error:
        if kind is Type.CON:
            error.reset = encode(Message(type=Type.RST, code=EMPTY, id=message_id))
        raise


def _decode(data: bytes, kind: Type, message_id: int) -> Message:
    token_length = data[0] & 15
    at = _HEADER + token_length
    if token_length > _LONGEST_TOKEN or at > len(data):
        raise MalformedMessage("its token has no possible length")
    if data[1] == EMPTY and len(data) > _HEADER:
        raise MalformedMessage("it is an empty message with content")
    options: list[tuple[int, bytes]] = []
    number = 0
    while at < len(data) and data[at] != _PAYLOAD_MARKER:
        head = data[at]
        delta, at = _number(data, at + 1, head >> 4)
        length, at = _number(data, at, head & 15)
        number += delta
        if number > _HIGHEST_OPTION or at + length > len(data):
            raise MalformedMessage("an option does not fit")
        options.append((number, data[at : at + length]))
        at += length
    payload = data[at + 1 :]
    if at < len(data) and not payload:
        raise MalformedMessage("its payload is announced and not there")
    return Message(
        type=kind,
        code=data[1],
        id=message_id,
        token=data[_HEADER : _HEADER + token_length],
        options=tuple(options),
        payload=payload,
    )


def _number(data: bytes, at: int, nibble: int) -> tuple[int, int]:
    """Read the rest of an option's delta or length, and say where it ends."""
    if nibble == _RESERVED:
        raise MalformedMessage("an option has a reserved length")
    more = {_ONE_MORE: 1, _TWO_MORE: 2}.get(nibble, 0)
    if at + more > len(data):
        raise MalformedMessage("it ends within an option")
    extra = int.from_bytes(data[at : at + more], "big")
    base = {_ONE_MORE: _ONE_MORE_FROM, _TWO_MORE: _TWO_MORE_FROM}.get(nibble, nibble)
    return base + extra, at + more
