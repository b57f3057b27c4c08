"""The little CBOR that a board's firmware carries: an encoder, and a decoder as strict as its build.

It reads and writes what nrfcloud fact sheet, sections 3.4 and 4, needs and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = range(7)
SELF_DESCRIBED = bytes.fromhex("d9d9f7")  # tag 55799
NULL = b"\xf6"
BREAK = 0xFF

_DIRECT_LIMIT = 24
_INDEFINITE = 31


class DecodeError(Exception):
    """The bytes are not what the grammar allows."""


def head(major: int, value: int) -> bytes:
    """Return the shortest head of an item."""
    if value < _DIRECT_LIMIT:
        return bytes([major << 5 | value])
    for information, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | information]) + value.to_bytes(size, "big")
    raise OverflowError(value)


def unsigned(value: int) -> bytes:
    """Encode an unsigned integer."""
    return head(UNSIGNED, value)


def byte_string(value: bytes) -> bytes:
    """Encode a byte string."""
    return head(BYTES, len(value)) + value


def text(value: str) -> bytes:
    """Encode a text string; bytes that were no UTF-8 when they were read are written back as they came."""
    raw = value.encode("utf-8", "surrogateescape")
    return head(TEXT, len(raw)) + raw


def array(items: Sequence[bytes], *, indefinite: bool = False) -> bytes:
    """Encode an array of encoded items."""
    if indefinite:
        return bytes([ARRAY << 5 | _INDEFINITE]) + b"".join(items) + bytes([BREAK])
    return head(ARRAY, len(items)) + b"".join(items)


@dataclass(slots=True)
class Reader:
    """Reads items one after the other.

    :ivar data: all bytes.
    :ivar canonical: refuse indefinite lengths and integers longer than needed, as the official sample does.
    :ivar position: index of the next byte.
    """

    data: bytes
    canonical: bool = True
    position: int = 0

    def unsigned(self) -> int:
        """Read an unsigned integer of at most 32 bits."""
        value = self._head(UNSIGNED)
        if value is None or value >= 1 << 32:
            raise DecodeError(f"no 32-bit unsigned integer before byte {self.position}")
        return value

    def text(self) -> str:
        """Read a text string of definite length."""
        size = self._head(TEXT)
        if size is None:
            raise DecodeError("a text string in pieces")
        return self._take(size).decode("utf-8", "surrogateescape")

    def elements(self, major: int) -> Iterator[None]:
        """Yield before each element of an array, or before each pair of a map.

        :param major: ``ARRAY`` or ``MAP``.
        """
        count = self._head(major)
        if count is None:
            while not self.at_break():
                yield
            self.position += 1
        else:
            for _index in range(count):
                yield

    def open_array(self) -> int | None:
        """Read the head of an array; ``None`` when a break will end it."""
        return self._head(ARRAY)

    def close_array(self, announced: int | None, present: int) -> None:
        """Refuse an array that did not announce as many elements as there are, or does not end here."""
        if announced is None:
            if not self.at_break():
                raise DecodeError(f"more than {present} elements in an array")
            self.position += 1
        elif announced != present:
            raise DecodeError(f"{announced} elements in an array that has {present}")

    def at_break(self) -> bool:
        """Tell whether the break of an indefinite item comes next."""
        if self.position >= len(self.data):
            raise DecodeError("cut short")
        return self.data[self.position] == BREAK

    def _head(self, major: int) -> int | None:
        first = self._take(1)[0]
        if first >> 5 != major:
            raise DecodeError(f"major type {first >> 5} at byte {self.position - 1}, not {major}")
        information = first & 0x1F
        if information < _DIRECT_LIMIT:
            return information
        if information == _INDEFINITE and major in (ARRAY, MAP):
            if self.canonical:
                raise DecodeError(f"indefinite length at byte {self.position - 1}")
            return None
        if information > 27:  # noqa: PLR2004 - 24..27 are the four sizes of an argument
            raise DecodeError(f"unfit length at byte {self.position - 1}")
        size = 1 << information - _DIRECT_LIMIT
        value = int.from_bytes(self._take(size), "big")
        if self.canonical and len(head(major, value)) != 1 + size:
            raise DecodeError(f"not the shortest form before byte {self.position}")
        return value

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.data):
            raise DecodeError("cut short")
        taken = self.data[self.position : end]
        self.position = end
        return taken
