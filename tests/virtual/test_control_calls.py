"""How a vendor's own control calls are answered by name, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from harness.virtual.control_calls import ControlCalls, clock_offset, yes_or_no

CENTURY = 100 * 366 * 86400


class Controls(ControlCalls):
    """Two calls, and what is none."""

    limit = 3

    def add(self, one: int, other: int = 1) -> int:
        """Add."""
        return one + other

    def zero(self) -> int:
        """Return nothing."""
        return 0

    def _inner(self) -> None:
        """Be no call."""


def test_calls_are_answered() -> None:
    """A call is a public method, with the parameters of its name."""
    controls = Controls()

    assert controls.call("add", {"one": 2, "other": 5}) == 7
    assert controls.call("add", {"one": 2}) == 3
    assert controls.call("zero", {}) == 0


@pytest.mark.parametrize("method", ["sub", "_inner", "call", "limit", "__init__", ""])
def test_what_is_no_call(method: str) -> None:
    """What is no public method of the vendor's is unknown; the message names the calls."""
    with pytest.raises(ValueError, match=rf"unknown method '{method}'; known are add, zero"):
        Controls().call(method, {})


@pytest.mark.parametrize("params", [{}, {"one": 1, "third": 2}])
def test_parameters_that_do_not_fit(params: dict[str, Any]) -> None:
    """A parameter too few or too many is the caller's mistake, told with the call's name."""
    with pytest.raises(ValueError, match=r"^add: "):
        Controls().call("add", params)


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_neither_yes_nor_no(value: object) -> None:
    """What only looks like true or false is neither."""
    with pytest.raises(ValueError, match=r"^up is .*; expected true or false$"):
        yes_or_no("up", value)


def test_yes_and_no() -> None:
    """True is true, and false is false."""
    assert (yes_or_no("up", True), yes_or_no("up", False)) == (True, False)


@pytest.mark.parametrize("value", [0, -1.5, CENTURY, -CENTURY])
def test_clock_may_be_off(value: float) -> None:
    """A clock is off by a century at most, either way."""
    assert clock_offset(value) == value


@pytest.mark.parametrize("value", [True, "1", None, CENTURY + 1, -CENTURY - 1, float("nan"), float("inf")])
def test_no_offset(value: object) -> None:
    """What is no number of seconds within a century is refused."""
    with pytest.raises(ValueError, match=r"^offset_seconds is .*; expected seconds, a century at most$"):
        clock_offset(value)
