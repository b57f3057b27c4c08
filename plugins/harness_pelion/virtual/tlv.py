"""OMA-TLV, content format 11542: how objects are written in LwM2M 1.0 (its specification, section 6.4.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LONG_ID = 0x20
_HIGHEST_SHORT_ID = 0xFF
_LENGTH_BYTES = 3
_LONGEST_IN_FIRST = 7
_INTEGER_SIZES = (1, 2, 4, 8)
_DEEPEST = 3


class Kind(IntEnum):
    """What an entry is: the first two bits of its first byte."""

    OBJECT_INSTANCE = 0
    RESOURCE_INSTANCE = 1
    MULTIPLE_RESOURCE = 2
    RESOURCE = 3


class MalformedTlv(Exception):
    """What arrived is no TLV."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    :ivar value: its bytes; those of what it holds are also in ``entries``.
    :ivar entries: what an object instance or a multiple resource holds.
    """

    kind: Kind
    id: int
    value: bytes = field(repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def integer(self) -> int:
        """Return the value as a number.

        :raises MalformedTlv: no number has so many bytes.
        """
        if len(self.value) not in _INTEGER_SIZES:
            raise MalformedTlv(f"entry {self.id} is no number: it has {len(self.value)} bytes")
        return int.from_bytes(self.value, "big", signed=True)

    @property
    def boolean(self) -> bool:
        """Return the value as true or false.

        :raises MalformedTlv: it is neither.
        """
        if self.value not in {b"\0", b"\1"}:
            raise MalformedTlv(f"entry {self.id} is neither true nor false")
        return self.value == b"\1"

    @property
    def text(self) -> str:
        """Return the value as text.

        :raises MalformedTlv: it is not UTF-8.
        """
        try:
            return self.value.decode()
        except UnicodeDecodeError as error:
            raise MalformedTlv(f"entry {self.id} is no text") from error


def decode(data: bytes) -> tuple[Entry, ...]:
    """Read the entries of a payload.

    :raises MalformedTlv: it is no TLV.
    """
    return _entries(data, 1)


def _entries(data: bytes, depth: int) -> tuple[Entry, ...]:
    found: list[Entry] = []
    at = 0
    while at < len(data):
        first = data[at]
        id_size, length_size = 1 + bool(first & _LONG_ID), first >> 3 & 3
        body = at + 1 + id_size + length_size
        if body > len(data):
            raise MalformedTlv("it ends within the head of an entry")
        number = int.from_bytes(data[at + 1 : at + 1 + id_size], "big")
        # With bytes for the length, the last three bits of the first byte mean nothing.
        length = int.from_bytes(data[at + 1 + id_size : body], "big") if length_size else first & 7
        if body + length > len(data):
            raise MalformedTlv(f"entry {number} is longer than what holds it")
        value = data[body : body + length]
        found.append(_entry(Kind(first >> 6), number, value, depth))
        at = body + length
    return tuple(found)


def _entry(kind: Kind, number: int, value: bytes, depth: int) -> Entry:
    if kind not in {Kind.OBJECT_INSTANCE, Kind.MULTIPLE_RESOURCE}:
        return Entry(kind, number, value)
    if depth >= _DEEPEST:
        raise MalformedTlv("its entries hold each other too deep")
    return Entry(kind, number, value, _entries(value, depth + 1))


def encode_entry(kind: Kind, number: int, value: bytes) -> bytes:
    """Write one entry.

    :raises ValueError: the value is too long, or the number too high.
    """
    long_id = number > _HIGHEST_SHORT_ID
    size = 0 if len(value) <= _LONGEST_IN_FIRST else (len(value).bit_length() + 7) // 8
    if size > _LENGTH_BYTES:
        raise ValueError(f"a value of {len(value)} bytes does not fit into an entry")
    first = kind << 6 | long_id << 5 | size << 3 | (len(value) if size == 0 else 0)
    head = bytes((first,)) + number.to_bytes(2 if long_id else 1, "big")
    return head + (len(value).to_bytes(size, "big") if size else b"") + value


def encode_resources(resources: Mapping[int, bytes]) -> bytes:
    """Write the resources of one object instance, in the order of their numbers."""
    return _joined(encode_entry(Kind.RESOURCE, number, resources[number]) for number in sorted(resources))


def integer(number: int) -> bytes:
    """Write a number in as few bytes as the format knows.

    :raises ValueError: it has more than 64 bits.
    """
    for size in _INTEGER_SIZES:
        if -(1 << size * 8 - 1) <= number < 1 << size * 8 - 1:
            return number.to_bytes(size, "big", signed=True)
    raise ValueError(f"{number} has more than 64 bits")


def _joined(entries: Iterable[bytes]) -> bytes:
    return b"".join(entries)
