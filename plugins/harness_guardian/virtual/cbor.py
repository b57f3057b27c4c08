"""The little CBOR that the board's firmware carries (RFC 8949): what COSE_Sign1 and its payload need.

It writes the shortest heads and definite lengths; it reads these and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)

_DIRECT_LIMIT = 24
_LARGEST_SIZE = 27
_FALSE, _TRUE, _NULL = 20, 21, 22
_SIMPLE_VALUES = {_FALSE: False, _TRUE: True, _NULL: None}
_DEEPEST = 16


class DecodeError(Exception):
    """The bytes are not what the board reads."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with a tag."""

    tag: int
    value: Any


def encode(value: Any) -> bytes:
    """Encode integers, byte and text strings, lists, dictionaries, truth values, ``None`` and tags.

    :raises TypeError: it is something else.
    """
    match value:
        case None:
            encoded = _head(SIMPLE, _NULL)
        case bool():
            encoded = _head(SIMPLE, _TRUE if value else _FALSE)
        case int():
            encoded = _head(UNSIGNED, value) if value >= 0 else _head(NEGATIVE, -1 - value)
        case bytes():
            encoded = _head(BYTES, len(value)) + value
        case str():
            raw = value.encode()
            encoded = _head(TEXT, len(raw)) + raw
        case Tagged():
            encoded = _head(TAG, value.tag) + encode(value.value)
        case list() | tuple():
            encoded = _head(ARRAY, len(value)) + b"".join(encode(item) for item in value)
        case dict():
            pairs = b"".join(encode(key) + encode(item) for key, item in value.items())
            encoded = _head(MAP, len(value)) + pairs
        case _:
            raise TypeError(f"no CBOR for {type(value).__name__}")
    return encoded


def decode(data: bytes) -> Any:
    """Decode one item that takes all bytes.

    :raises DecodeError: it is none that the board reads.
    """
    reader = _Reader(data)
    value = reader.item(0)
    if reader.position != len(data):
        raise DecodeError(f"{len(data) - reader.position} bytes behind the end")
    return value


def _head(major: int, value: int) -> bytes:
    if value < _DIRECT_LIMIT:
        return bytes([major << 5 | value])
    for information, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | information]) + value.to_bytes(size, "big")
    raise OverflowError(value)


@dataclass(slots=True)
class _Reader:
    data: bytes
    position: int = 0

    def item(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise DecodeError("nested too deep")
        major, value = self._read_head()
        if major in {ARRAY, MAP, TAG}:
            return self._nested(major, value, depth + 1)
        return self._plain(major, value)

    def _nested(self, major: int, value: int, depth: int) -> Any:
        if major == ARRAY:
            return [self.item(depth) for _index in range(self._count(value))]
        if major == MAP:
            return self._map(self._count(value), depth)
        return Tagged(value, self.item(depth))

    def _plain(self, major: int, value: int) -> Any:
        if major in {UNSIGNED, NEGATIVE}:
            return value if major == UNSIGNED else -1 - value
        if major in {BYTES, TEXT}:
            return self._take(value) if major == BYTES else self._text(value)
        if value not in _SIMPLE_VALUES:
            raise DecodeError(f"simple value {value}")
        return _SIMPLE_VALUES[value]

    def _map(self, count: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _index in range(count):
            key = self.item(depth)
            if not isinstance(key, int | str | bytes) or key in found:
                raise DecodeError("a key of a map that cannot be, or comes twice")
            found[key] = self.item(depth)
        return found

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError as error:
            raise DecodeError("a text that is no UTF-8") from error

    def _count(self, value: int) -> int:
        if value > len(self.data) - self.position:  # each element takes a byte at least
            raise DecodeError("cut short")
        return value

    def _read_head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        major, information = first >> 5, first & 0x1F
        if information < _DIRECT_LIMIT:
            return major, information
        if information > _LARGEST_SIZE or major == SIMPLE:
            raise DecodeError(f"a head {first:#04x} that is not read here")
        size = 1 << information - _DIRECT_LIMIT
        value = int.from_bytes(self._take(size), "big")
        if len(_head(major, value)) != 1 + size:
            raise DecodeError("not the shortest form")
        return major, value

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.data):
            raise DecodeError("cut short")
        taken = self.data[self.position : end]
        self.position = end
        return taken
