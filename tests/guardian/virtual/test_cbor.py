"""The board's CBOR, judged by cbor2: what it writes, what it reads, and what it refuses."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_guardian.virtual import cbor
from harness_guardian.virtual.cose import payload_of

KEYS = st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=8), st.binary(max_size=8))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), KEYS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=6,
)


@given(VALUES)
@settings(max_examples=40, deadline=None)
def test_both_ways(value: Any) -> None:
    """What the board writes cbor2 reads, and the board reads what cbor2 writes."""
    assert cbor2.loads(cbor.encode(value)) == value
    assert cbor.decode(cbor2.dumps(value)) == value


@given(st.binary(max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Bytes are read as cbor2 reads them, or refused; never anything else."""
    try:
        value = cbor.decode(data)
    except cbor.DecodeError:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "cut short"),
        ("0000", "1 bytes behind the end"),
        ("1801", "not the shortest form"),
        ("5f4100ff", "not read here"),
        ("9fff", "not read here"),
        ("f93c00", "not read here"),
        ("f7", "simple value 23"),
        ("61ff", "no UTF-8"),
        ("a2010001ff", "comes twice"),
        ("a18000", "a key of a map that cannot be"),
        ("9a00010000", "cut short"),
        ("81" * 20 + "00", "nested too deep"),
        ("4400", "cut short"),
    ],
)
def test_refused(text: str, what: str) -> None:
    """Indefinite lengths, floats, long forms, double keys and what is cut short are not read."""
    with pytest.raises(cbor.DecodeError, match=what):
        cbor.decode(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["84404040", "d28340a040", "d284400000f6", "d280", "a0"])
def test_no_cose(text: str) -> None:
    """What is no COSE_Sign1 has no payload."""
    with pytest.raises(cbor.DecodeError):
        payload_of(bytes.fromhex(text))


def test_no_cbor_for_it() -> None:
    """What the board never writes it cannot write."""
    with pytest.raises(TypeError, match="float"):
        cbor.encode(1.5)
    with pytest.raises(OverflowError):
        cbor.encode(2**64)
