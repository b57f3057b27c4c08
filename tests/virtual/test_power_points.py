"""Power cuts at chosen points: what is noted, where the supply fails, and what may be ordered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.power_points import PowerLost, PowerPoints

POINTS = ("before write", "after write", "exchange")


@pytest.fixture
def points() -> PowerPoints:
    """The points of a board, of which nothing is known yet."""
    return PowerPoints(POINTS)


def test_points_are_noted_in_their_order(points: PowerPoints) -> None:
    """What was passed is there, oldest first, until it is forgotten."""
    points.note("before write", "a")
    points.pass_by("after write", "a")
    assert points.passed() == [("before write", "a"), ("after write", "a")]
    points.clear()
    assert points.passed() == []


@given(
    passed=st.lists(st.sampled_from(POINTS), max_size=30),
    point=st.sampled_from(POINTS),
    nth=st.integers(min_value=1, max_value=8),
    comes_back=st.booleans(),
)
def test_power_goes_at_the_nth_passing_and_once(
    passed: list[str], point: str, nth: int, *, comes_back: bool
) -> None:
    """Only there, told whether it comes back; the point itself was passed."""
    points, cuts = PowerPoints(POINTS), list[tuple[int, bool]]()
    points.connect(lambda back: cuts.append((len(points.passed()), back)))
    points.arm(point, nth, comes_back=comes_back)
    lost = []
    for number, each in enumerate(passed, start=1):
        try:
            points.pass_by(each, "d")
        except PowerLost:
            lost.append(number)

    places = [number for number, each in enumerate(passed, start=1) if each == point]
    expected = [places[nth - 1]] if len(places) >= nth else []
    assert lost == expected
    assert cuts == [(number, comes_back) for number in expected]
    assert points.armed is not bool(expected)
    assert [each for each, _detail in points.passed()] == passed


def test_later_order_counts(points: PowerPoints) -> None:
    """An order replaces the one before; one that is called off cuts nothing."""
    points.arm("exchange", 1, comes_back=True)
    points.arm("after write", 1, comes_back=True)
    points.pass_by("exchange", "x")
    with pytest.raises(PowerLost, match=r"^after write y$"):
        points.pass_by("after write", "y")
    points.arm("exchange", 1, comes_back=False)
    points.disarm()
    points.pass_by("exchange", "x")
    assert not points.armed


def test_note_cuts_nothing(points: PowerPoints) -> None:
    """A point that is only noted does not count for the cut."""
    points.arm("exchange", 1, comes_back=True)
    points.note("exchange", "x")
    assert points.armed


@pytest.mark.parametrize(
    ("point", "nth", "says"),
    [
        ("nowhere", 1, "point is 'nowhere'; expected one of 'before write', 'after write', 'exchange'"),
        ("exchange", 0, "nth is 0; expected a count from 1"),
        ("exchange", -1, "nth is -1"),
        ("exchange", True, "nth is True"),
        ("exchange", "1", "nth is '1'"),
        ("exchange", 1.5, "nth is 1.5"),
    ],
)
def test_order_that_is_none(points: PowerPoints, point: str, nth: Any, says: str) -> None:
    """It is refused with what would do, and an order before it stands."""
    points.arm("after write", 1, comes_back=True)
    with pytest.raises(ValueError, match=says):
        points.arm(point, nth, comes_back=True)
    with pytest.raises(PowerLost):
        points.pass_by("after write", "y")


def test_secret_is_neither_kept_nor_told() -> None:
    """A board whose steps hold secrets says what may be shown, in the list and in the exception."""

    class Secretive(PowerPoints):
        def shown(self, detail: str) -> str:
            return detail.partition("=")[0]

    points = Secretive(POINTS)
    points.note("exchange", "key=s3cret")
    points.arm("before write", 1, comes_back=True)
    with pytest.raises(PowerLost) as lost:
        points.pass_by("before write", "key=s3cret")

    assert points.passed() == [("exchange", "key"), ("before write", "key")]
    assert str(lost.value) == "before write key"


def test_memory_is_bounded(points: PowerPoints) -> None:
    """A board that runs for weeks forgets the oldest points."""
    for number in range(5000):
        points.note("exchange", str(number))

    assert len(points.passed()) == 4000
    assert points.passed()[-1] == ("exchange", "4999")
