"""The key store: names, contents, one write for several items."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.power_points import PowerLost
from harness_pelion.virtual.kcm import Kcm, KcmRefusal
from harness_pelion.virtual.power import make_points

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"


@pytest.fixture
def kcm() -> Kcm:
    """An empty store."""
    return Kcm(make_points())


@pytest.mark.parametrize("name", ["", "a b", "a/b", "naïve", "a\0", "mbed:X", "a\n"])
def test_wrong_name(kcm: Kcm, name: str) -> None:
    """Names have letters, digits, dot, underscore and hyphen only, and at least one."""
    for action in (lambda: kcm.store(name, b"x"), lambda: kcm.delete(name)):
        with pytest.raises(KcmRefusal, match=r"^File name invalid:$"):
            action()
    assert kcm.names() == ()


def test_long_name(kcm: Kcm) -> None:
    """A name has at most 100 characters."""
    kcm.store("a" * 100, b"x")
    with pytest.raises(KcmRefusal, match=r"^File name too long:$"):
        kcm.store("a" * 101, b"x")


@given(st.dictionaries(st.text(ALPHABET, min_size=1, max_size=100), st.binary(max_size=50), max_size=5))
def test_keeps_what_it_is_given(items: dict[str, bytes]) -> None:
    """Any other item is kept as it is, and its digest is told."""
    kcm = Kcm(make_points())
    for name, data in items.items():
        kcm.store(name, data)
    assert {name: kcm.get(name) for name in kcm.names()} == items
    told = {
        name: {"size": len(each), "sha256": hashlib.sha256(each).hexdigest()} for name, each in items.items()
    }
    assert kcm.digests() == told
    for name in items:
        assert kcm.delete(name)
        assert not kcm.delete(name)


def test_commit_is_one_write(kcm: Kcm) -> None:
    """Several items are written together: a cut leaves all as it was, or all as it is to be."""
    points = make_points()
    kcm = Kcm(points)
    kcm.store("old", b"1")
    for point, expected in (("before store", {"old": b"1"}), ("after store", {"a": b"2", "b": b"3"})):
        points.arm(point, 1, comes_back=False)
        with pytest.raises(PowerLost):
            kcm.commit({"a": b"2", "old": None, "b": b"3"})
        assert {name: kcm.get(name) for name in kcm.names()} == expected


def test_commit_refuses_whole(kcm: Kcm) -> None:
    """When one of several items does not fit, none is written."""
    with pytest.raises(KcmRefusal):
        kcm.commit({"a": b"2", "mbed.LwM2MDeviceCert": b"none"})
    assert kcm.names() == ()


def test_room() -> None:
    """What is replaced makes room for what comes."""
    left = 10

    def check(size: int) -> None:
        if size > left:
            raise OSError

    kcm = Kcm(make_points(), check)
    kcm.store("a", bytes(10))
    left = 0
    kcm.store("a", bytes(10))
    with pytest.raises(KcmRefusal, match="File operation general error:"):
        kcm.store("a", bytes(11))
    assert kcm.get("a") == bytes(10)


def test_factory(kcm: Kcm) -> None:
    """An item is the factory's as long as it was last stored as such."""
    kcm.store("a", b"1", factory=True)
    assert kcm.is_factory("a")
    kcm.store("a", b"1")
    assert not kcm.is_factory("a")
