"""CoAP messages as the board writes and reads them (RFC 7252, section 3; RFC 7959, section 2.2).

The board has a codec of its own, as it has for CBOR: the fake's is aiocoap, so that the two cannot be wrong
together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Type(IntEnum):
    """How a message travels."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


class Option(IntEnum):
    """Number of an option."""

    URI_PATH = 11
    CONTENT_FORMAT = 12
    URI_QUERY = 15
    ACCEPT = 17
    BLOCK2 = 23
    BLOCK1 = 27


EMPTY, GET, POST = 0, 1, 2
CBOR = 60
"""Content-Format of commands and reports."""
LARGEST_MESSAGE = 65_536

_VERSION = 1
_HEAD = 4
_LONGEST_TOKEN = 8
_PAYLOAD_MARKER = 0xFF
_ONE_BYTE, _TWO_BYTES = 13, 14
_ONE_BYTE_OFFSET, _TWO_BYTES_OFFSET = 13, 269
_MORE = 8
_SMALLEST_BLOCK, _LARGEST_SIZE = 4, 6


class NoMessage(Exception):
    """Bytes that are no CoAP message."""


class Block(NamedTuple):
    """What the options Block1 and Block2 say: which block, whether more follow, and how large blocks are.

    :ivar exponent: 0 to 6: a block has ``2 ** (exponent + 4)`` bytes.
    """

    number: int
    more: bool
    exponent: int

    @property
    def size(self) -> int:
        """Bytes of a block."""
        return 1 << (self.exponent + _SMALLEST_BLOCK)

    def encode(self) -> bytes:
        """Return the value of the option."""
        return encode_number(self.number << 4 | (_MORE if self.more else 0) | self.exponent)

    @classmethod
    def decode(cls, value: bytes) -> Block:
        """Read the value of the option.

        :raises NoMessage: it is none.
        """
        number = int.from_bytes(value, "big")
        if len(value) > 3 or number & 7 > _LARGEST_SIZE:  # noqa: PLR2004 - RFC 7959, section 2.2
            raise NoMessage("a block option that is none")
        return cls(number >> 4, bool(number & _MORE), number & 7)


def encode_number(number: int) -> bytes:
    """Return a number in as few bytes as it takes; none for zero (RFC 7252, section 3.2)."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def exponent_of(size: int) -> int:
    """Return the exponent of the largest block that has no more than so many bytes."""
    return min(max(size.bit_length() - 1 - _SMALLEST_BLOCK, 0), _LARGEST_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message.

    :ivar code: as on the wire: class in the upper three bits, detail in the lower five.
    :ivar options: numbers and values, in the order of their numbers.
    """

    type: Type
    code: int
    number: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = b""

    @property
    def status(self) -> int:
        """The code as it is written: 401 is 4.01."""
        return (self.code >> 5) * 100 + (self.code & 31)

    def option(self, number: Option) -> bytes | None:
        """Return the value of an option that stands at most once."""
        return next((value for key, value in self.options if key == number), None)

    def block(self, number: Option) -> Block | None:
        """Return what a block option says, ``None`` if there is none.

        :raises NoMessage: it says nothing that is possible.
        """
        value = self.option(number)
        return None if value is None else Block.decode(value)

    def encode(self) -> bytes:
        """Return the bytes of a datagram."""
        head = bytes([_VERSION << 6 | self.type << 4 | len(self.token), self.code])
        data = bytearray(head + self.number.to_bytes(2, "big") + self.token)
        last = 0
        for key, value in sorted(self.options, key=lambda option: option[0]):
            delta, more = _nibble(key - last)
            length, still_more = _nibble(len(value))
            data += bytes([delta << 4 | length]) + more + still_more + value
            last = key
        if self.payload:
            data += bytes([_PAYLOAD_MARKER]) + self.payload
        return bytes(data)


def decode(data: bytes) -> Message:
    """Read a datagram.

    :raises NoMessage: it is no message.
    """
    if len(data) < _HEAD or data[0] >> 6 != _VERSION:
        raise NoMessage("no head of version 1")
    token_length = data[0] & 0xF
    if token_length > _LONGEST_TOKEN or len(data) < _HEAD + token_length:
        raise NoMessage("no token of its length")
    options, payload = _decode_options(data[_HEAD + token_length :])
    return Message(
        type=Type(data[0] >> 4 & 3),
        code=data[1],
        number=int.from_bytes(data[2:4], "big"),
        token=data[_HEAD : _HEAD + token_length],
        options=tuple(options),
        payload=payload,
    )


def texts(number: Option, values: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    """Return an option for each text."""
    return ((number, value.encode()) for value in values)


def _nibble(number: int) -> tuple[int, bytes]:
    """Return four bits and the bytes that extend them (RFC 7252, section 3.1)."""
    if number < _ONE_BYTE_OFFSET:
        return number, b""
    if number < _TWO_BYTES_OFFSET:
        return _ONE_BYTE, bytes([number - _ONE_BYTE_OFFSET])
    return _TWO_BYTES, (number - _TWO_BYTES_OFFSET).to_bytes(2, "big")


def _decode_options(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    options: list[tuple[int, bytes]] = []
    at = number = 0
    while at < len(data):
        if data[at] == _PAYLOAD_MARKER:
            if at + 1 == len(data):
                raise NoMessage("a marker and no payload behind it")
            return options, data[at + 1 :]
        delta, length = data[at] >> 4, data[at] & 0xF
        delta, at = _extended(delta, data, at + 1)
        length, at = _extended(length, data, at)
        number += delta
        if at + length > len(data):
            raise NoMessage("an option that is cut off")
        options.append((number, data[at : at + length]))
        at += length
    return options, b""


def _extended(nibble: int, data: bytes, at: int) -> tuple[int, int]:
    if nibble < _ONE_BYTE:
        return nibble, at
    size, offset = (1, _ONE_BYTE_OFFSET) if nibble == _ONE_BYTE else (2, _TWO_BYTES_OFFSET)
    if nibble > _TWO_BYTES or at + size > len(data):
        raise NoMessage("an option of no length")
    return int.from_bytes(data[at : at + size], "big") + offset, at + size
