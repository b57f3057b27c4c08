"""A vendor's own control calls of a virtual board, answered by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_OFFSET = 100 * 366 * 24 * 3600


class ControlCalls:
    """Answers control calls by name; the public methods of a class that is derived from it are the calls."""

    def __init__(self) -> None:
        """Find the calls."""
        self._calls: dict[str, Callable[..., Any]] = {
            name: method
            for name, method in inspect.getmembers(self, inspect.ismethod)
            if not name.startswith("_") and name != "call"
        }

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Answer a call.

        :raises ValueError: unknown method or unfit parameters.
        """
        function = self._calls.get(method)
        if function is None:
            raise ValueError(f"unknown method {method!r}; known are {', '.join(sorted(self._calls))}")
        try:
            inspect.signature(function).bind(**params)
        except TypeError as error:
            raise ValueError(f"{method}: {error}") from error
        return function(**params)


def yes_or_no(name: str, value: object) -> bool:
    """Return a parameter that is true or false.

    :param name: its name, for the message.
    :raises ValueError: it is neither.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; expected true or false")  # noqa: TRY004 - the contract's error
    return value


def clock_offset(value: object) -> float:
    """Return the parameter ``offset_seconds``, by which a board's clock is to be off.

    :raises ValueError: it is no number of seconds, or more than a century.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_no_offset(value))  # noqa: TRY004 - the contract's error
    if not -_MOST_OFFSET <= value <= _MOST_OFFSET:
        raise ValueError(_no_offset(value))
    return float(value)


def _no_offset(value: object) -> str:
    return f"offset_seconds is {value!r}; expected seconds, a century at most"
