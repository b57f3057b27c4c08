"""Fields of a request's body: Vault takes several spellings of a value, and says which field does not fit.

Durations are Go's (``8760h``), numbers of seconds, or days (``30d``); lists may be one text with commas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness_guardian.vault.answers import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_DURATION = 200 * 366 * 24 * 3600
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:[0-9]{1,12}[smhd])+", re.ASCII)
_TRUE = frozenset({"true", "1", "t"})
_FALSE = frozenset({"false", "0", "f", ""})


def text_field(parameters: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return a text; numbers are taken as they are written.

    :raises VaultProblem: it is neither.
    """
    value = parameters.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _unfit(name, value, "a string")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can name half a character
        raise _unfit(name, "...", "a string of whole characters") from None
    return text


def flag_field(parameters: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Return a truth value, which may be written as a text.

    :raises VaultProblem: it is none.
    """
    value = parameters.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, str | int) else "?"
    if word not in _TRUE | _FALSE:
        raise _unfit(name, value, "a boolean")
    return word in _TRUE


def number_field(parameters: Mapping[str, Any], name: str, default: int, *, most: int = 1 << 20) -> int:
    """Return a number that is not negative.

    :raises VaultProblem: it is none, or too large.
    """
    value = parameters.get(name)
    if value is None:
        return default
    number = value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
        raise _unfit(name, value, f"a number from 0 to {most}")
    return number


def list_field(parameters: Mapping[str, Any], name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return texts, from a list or from one text with commas.

    :raises VaultProblem: it is neither.
    """
    value = parameters.get(name)
    if value is None:
        return default
    if isinstance(value, str):
        value = value.split(",") if value else []
    if not isinstance(value, list):
        raise _unfit(name, value, "a list of strings")
    return tuple(text_field({name: item}, name).strip() for item in value)


def seconds_field(parameters: Mapping[str, Any], name: str, default: int = 0) -> int:
    """Return a duration in seconds.

    :raises VaultProblem: it is none, or longer than anything lasts.
    """
    value = parameters.get(name)
    if value is None or value == "":
        return default
    seconds = -1
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value, re.ASCII):
        seconds = int(value)
    elif isinstance(value, str) and _DURATION.fullmatch(value):
        parts = re.findall(r"([0-9]+)([smhd])", value)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not 0 <= seconds <= LONGEST_DURATION:
        raise _unfit(name, value, "a duration")
    return seconds


def _unfit(name: str, value: object, expected: str) -> Exception:
    shown = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return refused(
        f"Field validation failed: error converting input {shown[:80]} for field {name!r}: "
        f"expected {expected}"
    )
