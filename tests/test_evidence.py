"""Evidence: free when nobody collects, nested when somebody does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.evidence import attach, collect_with, reported_as, step

if TYPE_CHECKING:
    from collections.abc import Iterator


class Notes:
    """Notes what it is given."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lines: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Note begin and end of a step."""
        self.lines.append(f"+{title}")
        try:
            yield
        except ValueError:
            self.lines.append(f"!{title}")
            raise
        self.lines.append(f"-{title}")

    def attach(self, name: str, text: str) -> None:
        """Note an attachment."""
        self.lines.append(f"{name}={text}")


def test_steps_and_attachments_reach_the_collector() -> None:
    """Steps nest, attachments come in between, and a failure goes through both."""
    notes = Notes()
    with collect_with(notes):
        with step("outer"), step("inner"):
            attach("reply", "OK")
        with pytest.raises(ValueError, match="x"), step("fails"):
            raise ValueError("x")

    assert notes.lines == ["+outer", "+inner", "reply=OK", "-inner", "-outer", "+fails", "!fails"]


def test_nobody_collects() -> None:
    """Without a collector, and after it, and on other threads, steps cost and do nothing."""
    notes = Notes()
    with step("before"):
        attach("x", "y")
    with collect_with(notes):
        other = threading.Thread(target=lambda: attach("other", "thread"))
        other.start()
        other.join()
    with step("after"):
        attach("x", "y")

    assert notes.lines == []


def test_the_collector_before_comes_back() -> None:
    """Collectors nest: a pytest inside a pytest does not take the outer one's steps."""
    outer, inner = Notes(), Notes()
    with collect_with(outer):
        with collect_with(inner):
            attach("a", "1")
        attach("b", "2")

    assert (outer.lines, inner.lines) == (["b=2"], ["a=1"])


def test_every_call_of_a_reported_function_is_a_step() -> None:
    """A function made a step keeps its arguments, its result and its name, and names the step."""

    @reported_as("Two numbers are added")
    def add(first: int, *, second: int) -> int:
        return first + second

    notes = Notes()
    assert add(1, second=2) == 3
    assert notes.lines == []
    with collect_with(notes):
        assert add(2, second=3) == 5

    assert notes.lines[0] == "+Two numbers are added"
    assert add.__name__ == "add"
