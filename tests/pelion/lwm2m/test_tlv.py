"""OMA-TLV: the examples of the LwM2M 1.0 specification, an independent reader, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_pelion.fake.tlv import Entry, Kind, TlvError, decode, encode, instance, integer
from tests.pelion.lwm2m.raw_device import read_tlv

# OMA LwM2M 1.0, section 6.4.3.1: the Device object of a device, resource by resource.
DEVICE: dict[tuple[Kind, int], tuple[str, bytes | list[tuple[int, bytes]]]] = {
    (Kind.RESOURCE, 0): ("c80014" + b"Open Mobile Alliance".hex(), b"Open Mobile Alliance"),
    (Kind.RESOURCE, 1): ("c80116" + b"Lightweight M2M Client".hex(), b"Lightweight M2M Client"),
    (Kind.RESOURCE, 2): ("c80209" + b"345000123".hex(), b"345000123"),
    (Kind.RESOURCE, 3): ("c303312e30", b"1.0"),
    (Kind.MULTIPLE_RESOURCE, 6): ("8606410001410105", [(0, b"\x01"), (1, b"\x05")]),
    (Kind.MULTIPLE_RESOURCE, 7): ("88070842000ed842011388", [(0, b"\x0e\xd8"), (1, b"\x13\x88")]),
    (Kind.MULTIPLE_RESOURCE, 8): ("870841007d42010384", [(0, b"\x7d"), (1, b"\x03\x84")]),
    (Kind.RESOURCE, 9): ("c10964", b"\x64"),
    (Kind.RESOURCE, 10): ("c10a0f", b"\x0f"),
    (Kind.MULTIPLE_RESOURCE, 11): ("830b410000", [(0, b"\x00")]),
    (Kind.RESOURCE, 13): ("c40d5182428f", b"\x51\x82\x42\x8f"),
    (Kind.RESOURCE, 14): ("c60e2b30323a3030", b"+02:00"),
    (Kind.RESOURCE, 16): ("c11055", b"U"),
}


def entry_of(kind: Kind, number: int, value: bytes | list[tuple[int, bytes]]) -> Entry:
    """Return an entry as the examples describe it."""
    if isinstance(value, bytes):
        return Entry(kind, number, value)
    return Entry(kind, number, tuple(Entry(Kind.RESOURCE_INSTANCE, *each) for each in value))


def test_the_device_object_of_the_specification() -> None:
    """121 bytes, as the specification counts them; the same as an instance of the object."""
    data = bytes.fromhex("".join(text for text, _value in DEVICE.values()))
    entries = tuple(entry_of(*key, value) for key, (_text, value) in DEVICE.items())
    assert len(data) == 121
    assert decode(data) == entries
    assert encode(entries) == data
    whole = bytes.fromhex("080079") + data
    assert decode(whole) == (Entry(Kind.OBJECT_INSTANCE, 0, entries),)
    assert encode(decode(whole)) == whole


def test_the_access_control_object_of_the_specification() -> None:
    """Two instances, one with an identifier of two bytes (OMA LwM2M 1.0, section 6.4.3.2)."""
    data = bytes.fromhex(
        "08000ec10001c101008302417f07c1037f" + "080212c10003c10100870241 7f07 61013601c1037f"
    )
    first, second = decode(data)
    assert (first.kind, first.identifier, second.identifier) == (Kind.OBJECT_INSTANCE, 0, 2)
    assert second.value[2] == Entry(
        Kind.MULTIPLE_RESOURCE,
        2,
        (Entry(Kind.RESOURCE_INSTANCE, 127, b"\x07"), Entry(Kind.RESOURCE_INSTANCE, 310, b"\x01")),
    )
    assert encode([first, second]) == data


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, "c005"),
        (7, "c705"),
        (8, "c80508"),
        (255, "c805ff"),
        (256, "d0050100"),
        (65535, "d005ffff"),
        (65536, "d805010000"),
    ],
)
def test_lengths_take_as_many_bytes_as_they_need(length: int, head: str) -> None:
    """None, one, two or three behind the identifier."""
    data = bytes.fromhex(head) + bytes(length)
    assert encode([Entry(Kind.RESOURCE, 5, bytes(length))]) == data
    assert decode(data) == (Entry(Kind.RESOURCE, 5, bytes(length)),)


@pytest.mark.parametrize(("number", "head"), [(0, "c100"), (255, "c1ff"), (256, "e10100"), (65535, "e1ffff")])
def test_identifiers_take_one_byte_or_two(number: int, head: str) -> None:
    """The third bit says which."""
    data = bytes.fromhex(head + "2a")
    assert encode([Entry(Kind.RESOURCE, number, b"*")]) == data
    assert decode(data) == (Entry(Kind.RESOURCE, number, b"*"),)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "00"),
        (-1, "ff"),
        (127, "7f"),
        (128, "0080"),
        (-32768, "8000"),
        (32768, "00008000"),
        (600, "0258"),
        (1367491215, "5182428f"),
        (2147483648, "0000000080000000"),
    ],
)
def test_numbers_take_a_power_of_two_of_bytes(value: int, expected: str) -> None:
    """Signed, 1, 2, 4 or 8 bytes (OMA LwM2M 1.0, appendix C); the time is the specification's own."""
    assert integer(value).hex() == expected


def test_numbers_beyond_eight_bytes_are_refused() -> None:
    """There is no way to write them."""
    with pytest.raises(ValueError, match="8 bytes"):
        integer(1 << 63)


IDENTIFIERS = st.integers(0, 300) | st.integers(0, 65535)
VALUES = st.binary(max_size=12) | st.binary(min_size=250, max_size=270)
RESOURCES = st.builds(Entry, st.just(Kind.RESOURCE), IDENTIFIERS, VALUES)
MULTIPLES = st.builds(
    Entry,
    st.just(Kind.MULTIPLE_RESOURCE),
    IDENTIFIERS,
    st.lists(st.builds(Entry, st.just(Kind.RESOURCE_INSTANCE), IDENTIFIERS, VALUES), max_size=4).map(tuple),
)
INSTANCES = st.builds(
    Entry,
    st.just(Kind.OBJECT_INSTANCE),
    IDENTIFIERS,
    st.lists(RESOURCES | MULTIPLES, max_size=4).map(tuple),
)


def tree(data: bytes) -> list[object]:
    """Read entries by the tests' own reader, all the way down."""
    return [
        (kind, number, tree(value) if kind in {0, 2} else value) for kind, number, value in read_tlv(data)
    ]


def bare(entry: Entry) -> object:
    """Return an entry in the shape of the tests' own reader."""
    value = entry.value if isinstance(entry.value, bytes) else [bare(each) for each in entry.value]
    return (int(entry.kind), entry.identifier, value)


@settings(max_examples=60, deadline=None)
@given(entries=st.lists(INSTANCES | RESOURCES | MULTIPLES, max_size=4))
def test_what_is_written_is_read_by_us_and_by_another(entries: list[Entry]) -> None:
    """The tests' own reader finds the same."""
    data = encode(entries)
    assert decode(data) == tuple(entries)
    assert tree(data) == [bare(entry) for entry in entries]


NONSENSE = {
    "no identifier": "c1",
    "half an identifier": "e101",
    "no length": "c800",
    "half a length": "d00001",
    "value cut short": "c30001",
    "long value cut short": "d805010000" + "00" * 20,
    "instance in an instance": "02000000",
    "value in a resource of many": "8300c10001",
    "instance of a resource in an instance": "0300410001",
    "instance cut short within": "0200c801",
}


@pytest.mark.parametrize("name", sorted(NONSENSE))
def test_what_is_no_tlv_is_refused(name: str) -> None:
    """What ends too early, or is where it cannot be."""
    with pytest.raises(TlvError):
        decode(bytes.fromhex(NONSENSE[name]))


@given(data=st.binary(max_size=60))
def test_nothing_else_than_its_error_comes_of_nonsense(data: bytes) -> None:
    """Whatever comes is entries or is refused."""
    try:
        entries = decode(data)
    except TlvError:
        return
    assert decode(encode(entries)) == entries


def test_deep_nonsense_is_refused_at_once() -> None:
    """Sixteen thousand bytes of instances in instances do not exhaust anything."""
    data = b""
    while len(data) < 16000:
        data = b"\x10\x00" + len(data).to_bytes(2, "big") + data
    with pytest.raises(TlvError):
        decode(data)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(Kind.RESOURCE, 65536, b""),
        Entry(Kind.RESOURCE, -1, b""),
        Entry(Kind.RESOURCE, 0, ()),
        Entry(Kind.OBJECT_INSTANCE, 0, b""),
        Entry(Kind.MULTIPLE_RESOURCE, 0, (Entry(Kind.RESOURCE, 0, b""),)),
        Entry(Kind.RESOURCE, 0, bytes(1 << 24)),
    ],
    ids=["identifier too large", "identifier below nothing", "entries in a resource", "bytes in an instance",
         "resource in a resource", "value too long"],
)  # fmt: skip
def test_what_cannot_be_is_not_written(entry: Entry) -> None:
    """A mistake of ours is seen here, not by the device."""
    with pytest.raises(ValueError, match=r"identifier|hold|too many"):
        encode([entry])


def test_an_instance_holds_its_resources() -> None:
    """The short way to write one."""
    assert encode([instance(0, [(0, b"a"), (300, b"b")])]).hex() == "0700c10061e1012c62"
