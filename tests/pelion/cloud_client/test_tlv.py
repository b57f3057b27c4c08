"""OMA-TLV: the examples of the LwM2M 1.0 specification, section 6.4.3, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_pelion.virtual import tlv
from harness_pelion.virtual.tlv import Entry, Kind, MalformedTlv

#: "Example of a request on /3/0": the device object, 121 bytes.
DEVICE = bytes.fromhex(
    "c800144f70656e204d6f62696c6520416c6c69616e6365"
    "c801164c69676874776569676874204d324d20436c69656e74"
    "c80209333435303030313233"
    "c303312e30"
    "860641000141 0105".replace(" ", "")
    + "88070842000ed84201138887084100 7d42010384".replace(" ", "")
    + "c10964"
    "c10a0f"
    "830b410000"
    "c40d5182428f"
    "c60e2b30323a3030"
    "c11055"
)
#: "Example of a request on /2": two instances of the access control object.
ACCESS = bytes.fromhex(
    "08000ec10001c1010083024 17f07c1037f".replace(" ", "") + "080212c10003c101008702417f0761013601c1037f"
)


def test_the_device_object() -> None:
    """Every resource of the example, texts, numbers and multiple ones."""
    read = {entry.id: entry for entry in tlv.decode(DEVICE)}

    assert read[0].text == "Open Mobile Alliance"
    assert read[1].text == "Lightweight M2M Client"
    assert read[2].text == "345000123"
    assert read[3].text == "1.0"
    assert [(each.kind, each.id, each.integer) for each in read[6].entries] == [
        (Kind.RESOURCE_INSTANCE, 0, 1),
        (Kind.RESOURCE_INSTANCE, 1, 5),
    ]
    assert [each.integer for each in read[7].entries] == [3800, 5000]
    assert [each.integer for each in read[8].entries] == [125, 900]
    assert read[9].integer == 100
    assert read[13].integer == 1367491215
    assert read[14].text == "+02:00"
    assert read[16].text == "U"
    assert read[0].kind is Kind.RESOURCE
    assert read[6].kind is Kind.MULTIPLE_RESOURCE


def test_two_instances() -> None:
    """Instances hold resources; one resource instance has an id of 16 bits."""
    first, second = tlv.decode(ACCESS)

    assert (first.kind, first.id, [each.id for each in first.entries]) == (
        Kind.OBJECT_INSTANCE,
        0,
        [0, 1, 2, 3],
    )
    assert (second.id, [each.id for each in second.entries]) == (2, [0, 1, 2, 3])
    assert second.entries[0].integer == 3
    assert [each.id for each in second.entries[2].entries] == [127, 310]


def test_the_device_object_is_written_alike() -> None:
    """The plain resources of the example are written to the same bytes."""
    written = tlv.encode_resources(
        {
            0: b"Open Mobile Alliance",
            1: b"Lightweight M2M Client",
            2: b"345000123",
            3: b"1.0",
            9: tlv.integer(100),
            13: tlv.integer(1367491215),
            14: b"+02:00",
        }
    )

    literals = (
        DEVICE[:65],
        bytes.fromhex("c10964"),
        bytes.fromhex("c40d5182428f"),
        bytes.fromhex("c60e2b30323a3030"),
    )
    assert written == b"".join(literals)
    assert all(literal in DEVICE for literal in literals)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "0080"),
        (-1, "ff"),
        (-129, "ff7f"),
        (32768, "00008000"),
        (2**40, "0000010000000000"),
    ],
)
def test_numbers(number: int, written: str) -> None:
    """Two's complement in 1, 2, 4 or 8 bytes."""
    assert tlv.integer(number).hex() == written
    assert Entry(Kind.RESOURCE, 0, bytes.fromhex(written)).integer == number


@pytest.mark.parametrize(
    ("kind", "number", "length", "head"),
    [
        (Kind.RESOURCE, 1, 7, "c701"),
        (Kind.RESOURCE, 1, 8, "c80108"),
        (Kind.RESOURCE, 256, 0, "e00100"),
        (Kind.OBJECT_INSTANCE, 0, 256, "10000100"),
        (Kind.RESOURCE, 5, 65536, "d805010000"),
    ],
)
def test_heads(kind: Kind, number: int, length: int, head: str) -> None:
    """Lengths of 3, 8, 16 and 24 bits, ids of 8 and 16."""
    value = b"\xc0\0" * (length // 2) + b"\0" * (length % 2)
    written = tlv.encode_entry(kind, number, value)

    assert written[: len(head) // 2].hex() == head
    assert written[len(head) // 2 :] == value


@pytest.mark.parametrize(
    "data", ["c8", "c800", "c80005aabb", "c3", "c700", "e000", "080005c80003aa", "000000"]
)
def test_malformed(data: str) -> None:
    """What ends too early is refused."""
    with pytest.raises(MalformedTlv):
        tlv.decode(bytes.fromhex(data))


def test_empty_entries() -> None:
    """Nothing is a payload without entries; an instance may hold nothing."""
    assert tlv.decode(b"") == ()
    assert tlv.decode(bytes.fromhex("0000")) == (Entry(Kind.OBJECT_INSTANCE, 0, b""),)


@pytest.mark.parametrize(
    ("read", "value"),
    [("integer", b"\0\0\0"), ("integer", b""), ("boolean", b"\2"), ("boolean", b""), ("text", b"\xff")],
)
def test_values_that_do_not_fit(read: str, value: bytes) -> None:
    """A number of three bytes, a truth of 2, a text that is none."""
    with pytest.raises(MalformedTlv):
        getattr(Entry(Kind.RESOURCE, 0, value), read)


def test_too_much_cannot_be_written() -> None:
    """A value of 24 bits' length and more, a number of more than 64 bits."""
    with pytest.raises(ValueError, match="does not fit into an entry"):
        tlv.encode_entry(Kind.RESOURCE, 0, bytes(1 << 24))
    with pytest.raises(ValueError, match="more than 64 bits"):
        tlv.integer(1 << 63)


def test_a_deep_nest_is_refused() -> None:
    """Instances within instances without end are no objects."""
    nest = b""
    for _ in range(40):
        nest = tlv.encode_entry(Kind.OBJECT_INSTANCE, 0, nest)

    with pytest.raises(MalformedTlv, match="too deep"):
        tlv.decode(nest)


@given(st.binary(max_size=120))
def test_no_nonsense_crashes(data: bytes) -> None:
    """Any bytes are entries or are refused."""
    try:
        entries = tlv.decode(data)
    except MalformedTlv:
        return
    assert all(0 <= entry.id <= 0xFFFF for entry in entries)


@given(st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=300), max_size=6))
def test_round_trip(resources: dict[int, bytes]) -> None:
    """What is written is read again, in the order of the numbers."""
    read = tlv.decode(tlv.encode_resources(resources))

    assert [(entry.id, entry.value) for entry in read] == sorted(resources.items())


def test_values_are_not_shown() -> None:
    """A value may be a private key: it is in no representation."""
    assert "secret" not in repr(tlv.decode(tlv.encode_entry(Kind.RESOURCE, 5, b"secret key")))
