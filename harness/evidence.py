"""Steps and attachments for whoever reports a test; free when nobody does.

Drivers, clients and suites say what they do in a person's words::

    with step("Claim the device"):
        ...

A front door that reports (the pytest plugin with Allure) collects them through :func:`collect_with`. Only
the thread that set the collector is collected from, because steps of two threads do not nest.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Collector(Protocol):
    """What takes steps and attachments; redaction is its business."""

    def step(self, title: str) -> AbstractContextManager[object]:
        """Begin a step that ends, well or badly, with the returned context."""

    def attach(self, name: str, text: str) -> None:
        """Attach a text to the step that is open, or to the test."""


_COLLECTOR: ContextVar[Collector | None] = ContextVar("harness_evidence_collector", default=None)
_NO_STEP = nullcontext()


def step(title: str) -> AbstractContextManager[object]:
    """Name what is done inside the ``with``, in a person's words: ``Claim the device``."""
    collector = _COLLECTOR.get()
    return _NO_STEP if collector is None else collector.step(title)


def reported_as(title: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Make every call of a function a step; for the methods of a driver that a person would name."""

    def wrap(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @wraps(function)
        def reported(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            with step(title):
                return function(*arguments, **named)

        return reported

    return wrap


def attach(name: str, text: str) -> None:
    """Attach a text to the step that is open, or to the test; it is redacted before it is written."""
    collector = _COLLECTOR.get()
    if collector is not None:
        collector.attach(name, text)


@contextmanager
def collect_with(collector: Collector) -> Iterator[None]:
    """Hand steps and attachments of this thread to a collector, until the ``with`` ends."""
    token = _COLLECTOR.set(collector)
    try:
        yield
    finally:
        _COLLECTOR.reset(token)
