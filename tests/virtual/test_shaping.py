"""Line faults without a line."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.shaping import Garbler, Shape


@given(st.binary(max_size=2000), st.lists(st.integers(1, 50), max_size=60), st.integers(0, 99))
def test_noise_does_not_depend_on_how_bytes_are_divided(data: bytes, sizes: list[int], seed: int) -> None:
    """The same seed flips the same bits of a stream, in whatever pieces it is sent."""
    divided, noisy, position = Garbler(0.1, seed), b"", 0
    for size in sizes:
        noisy += divided.apply(data[position : position + size])
        position += size
    noisy += divided.apply(data[position:])

    assert noisy == Garbler(0.1, seed).apply(data)


@given(st.binary(min_size=1, max_size=500), st.integers())
def test_a_hit_byte_has_one_bit_flipped(data: bytes, seed: int) -> None:
    """At rate 1 each byte is hit, and exactly one bit of it."""
    noisy = Garbler(1.0, seed).apply(data)

    assert [(old ^ new).bit_count() for old, new in zip(data, noisy, strict=True)] == [1] * len(data)


def test_the_rate_is_kept() -> None:
    """At a rate of 5 % about 5 % of 100,000 bytes are hit; five standard deviations are 345."""
    noisy = Garbler(0.05, 7).apply(bytes(100_000))

    assert abs(sum(byte != 0 for byte in noisy) - 5000) < 345


def test_two_seeds_differ() -> None:
    """Another seed hits other bytes."""
    assert Garbler(0.05, 1).apply(bytes(1000)) != Garbler(0.05, 2).apply(bytes(1000))


def test_no_noise_at_rate_zero() -> None:
    """A rate of 0 leaves every byte alone."""
    assert Garbler(0.0, 1).apply(bytes(range(256))) == bytes(range(256))


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"bytes_per_second": 0}, "bytes_per_second"),
        ({"bytes_per_second": math.inf}, "bytes_per_second"),
        ({"bytes_per_second": math.nan}, "bytes_per_second"),
        ({"chunk": 0}, "chunk"),
        ({"gap": -0.1}, "gap"),
        ({"gap": math.nan}, "gap"),
        ({"gap": 61}, "gap"),
        ({"garble": 1.1}, "garble"),
        ({"garble": -0.1}, "garble"),
        ({"garble": math.nan}, "garble"),
    ],
)
def test_values_that_no_line_has_are_refused(values: dict[str, float], key: str) -> None:
    """A value out of its range is an error that names it."""
    with pytest.raises(ValueError, match=f"^{key}: expected"):
        Shape(**values)  # type: ignore[arg-type]  # wrong values are the point


def test_a_slow_line_is_busy_for_as_long_as_the_bytes_take() -> None:
    """9600 bit/s are 960 bytes a second: 9 bytes at most at once, and 96 bytes take 0.1 s."""
    shape = Shape(bytes_per_second=960)

    assert (shape.paced, shape.piece) == (True, 9)
    assert shape.seconds_after(96) == pytest.approx(0.1)


def test_a_split_line_waits_between_pieces() -> None:
    """Pieces are as small as asked, and the longer of gap and line speed counts."""
    shape = Shape(chunk=4, gap=0.02, bytes_per_second=1000)

    assert (shape.piece, shape.seconds_after(4), shape.seconds_after(30)) == (4, 0.02, 0.03)


def test_a_plain_line_is_not_paced() -> None:
    """Without a fault nothing waits."""
    assert (Shape().paced, Shape().seconds_after(1000)) == (False, 0.0)
