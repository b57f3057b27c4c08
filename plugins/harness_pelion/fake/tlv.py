"""OMA-TLV: how LwM2M writes an object's instances and resources (OMA LwM2M 1.0, section 6.4.3).

An entry begins with a byte that says its kind (two bits), whether its identifier has one byte or two, and how
its length is told: in three bits of the same byte, or in one, two or three bytes behind the identifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONTENT_FORMAT = 11542
"""``application/vnd.oma.lwm2m+tlv``."""

OLD_CONTENT_FORMAT = 99
"""The number that it had before (pelion fact sheet, section 6.2)."""

_WIDE_IDENTIFIER = 0x20
_SHORTEST_LENGTHS = 8
_NARROW = 0x100
_LARGEST_IDENTIFIER = 0xFFFF
_LONGEST_VALUE = 0xFFFFFF


class Kind(IntEnum):
    """What an entry is (OMA LwM2M 1.0, table 20)."""

    OBJECT_INSTANCE = 0
    RESOURCE_INSTANCE = 1
    MULTIPLE_RESOURCE = 2
    RESOURCE = 3


_MAY_HOLD = {
    Kind.OBJECT_INSTANCE: {Kind.RESOURCE, Kind.MULTIPLE_RESOURCE},
    Kind.MULTIPLE_RESOURCE: {Kind.RESOURCE_INSTANCE},
}
"""Which entries hold entries, and which; the others hold a value."""


class TlvError(ValueError):
    """Bytes are no OMA-TLV."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    :ivar value: bytes of a resource or resource instance; the entries that any other kind holds.
    """

    kind: Kind
    identifier: int
    value: bytes | tuple[Entry, ...]


def instance(identifier: int, resources: Iterable[tuple[int, bytes]]) -> Entry:
    """Return an object instance with resources that hold one value each."""
    entries = tuple(Entry(Kind.RESOURCE, number, value) for number, value in resources)
    return Entry(Kind.OBJECT_INSTANCE, identifier, entries)


def integer(value: int) -> bytes:
    """Write a number in the fewest of 1, 2, 4 and 8 bytes, signed (OMA LwM2M 1.0, appendix C).

    :raises ValueError: it needs more than 8 bytes.
    """
    for size in (1, 2, 4, 8):
        if -(1 << size * 8 - 1) <= value < 1 << size * 8 - 1:
            return value.to_bytes(size, "big", signed=True)
    raise ValueError(f"{value} needs more than 8 bytes")


def encode(entries: Sequence[Entry]) -> bytes:
    """Write entries.

    :raises ValueError: an identifier or value that is too large, or an entry that cannot be where it is.
    """
    return b"".join(_encode(entry) for entry in entries)


def decode(data: bytes) -> tuple[Entry, ...]:
    """Read entries, all the way down.

    :raises TlvError: they end too early, or one is where it cannot be.
    """
    return _decode(data, set(Kind))


def _encode(entry: Entry) -> bytes:
    held = _MAY_HOLD.get(entry.kind)
    if isinstance(entry.value, bytes):
        if held is not None:
            raise ValueError(f"a {entry.kind.name} holds entries, not bytes")
        body = entry.value
    else:
        if held is None or any(inner.kind not in held for inner in entry.value):
            raise ValueError(f"a {entry.kind.name} cannot hold these entries")
        body = encode(entry.value)
    if not 0 <= entry.identifier <= _LARGEST_IDENTIFIER:
        raise ValueError(f"{entry.identifier} is no identifier")
    if len(body) > _LONGEST_VALUE:
        raise ValueError(f"{len(body)} bytes are too many for one entry")
    head = entry.kind << 6
    width = 1
    if entry.identifier >= _NARROW:
        head, width = head | _WIDE_IDENTIFIER, 2
    length = b""
    if len(body) < _SHORTEST_LENGTHS:
        head |= len(body)
    else:
        size = (len(body).bit_length() + 7) // 8
        head |= size << 3
        length = len(body).to_bytes(size, "big")
    return bytes([head]) + entry.identifier.to_bytes(width, "big") + length + body


def _decode(data: bytes, fitting: set[Kind]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    at = 0
    while at < len(data):
        entry, at = _decode_one(data, at, fitting)
        entries.append(entry)
    return tuple(entries)


def _decode_one(data: bytes, at: int, fitting: set[Kind]) -> tuple[Entry, int]:
    head = data[at]
    kind = Kind(head >> 6)
    if kind not in fitting:
        raise TlvError(f"a {kind.name} cannot be there")
    identifier, at = _number(data, at + 1, 2 if head & _WIDE_IDENTIFIER else 1)
    size = head >> 3 & 3
    length, at = _number(data, at, size) if size else (head & 7, at)
    if at + length > len(data):
        raise TlvError(f"{kind.name} {identifier}: {length} bytes announced, {len(data) - at} left")
    body = data[at : at + length]
    held = _MAY_HOLD.get(kind)
    value = body if held is None else _decode(body, held)
    return Entry(kind, identifier, value), at + length


def _number(data: bytes, at: int, size: int) -> tuple[int, int]:
    if at + size > len(data):
        raise TlvError("ends within the head of an entry")
    return int.from_bytes(data[at : at + size], "big"), at + size
