"""Options about a run as a whole: how long, what part of it, what is remembered of it.

Pure like :mod:`harness.config`: strings in, values or one :class:`~harness.errors.UsageError` out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from harness.config import parse_seconds
from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

OFF: Final = "off"
_MOST_DIGITS = 6
_MOST = 10**_MOST_DIGITS - 1
#: More than a hundred years are a slip of the pen, and more than a date can hold.
_LONGEST_SECONDS = 100 * 365 * 86_400.0


def parse_max_runtime(text: str) -> float | None:
    """Parse ``--max-runtime SECONDS``; 0 is no limit.

    :raises UsageError: not a finite number, or less than 0.
    """
    return (parse_seconds("--max-runtime", text) or None) if text else None


def parse_rig_retries(text: str) -> int:
    """Parse ``--rig-retries N``.

    :raises UsageError: not a whole number, less than 0, or more than any test is tried.
    """
    if not text:
        return 0
    number = _whole_number(text)
    if number is None:
        raise UsageError("not a number of retries", key="--rig-retries", value=text, expected=f"0 to {_MOST}")
    return number


def parse_history(text: str, base: Path) -> Path | Literal["off"] | None:
    """Parse ``--history FILE`` or ``--history off``.

    :param base: directory that a relative path is meant from.
    :return: ``None``: nothing was said.
    """
    if not text:
        return None
    return OFF if text == OFF else base / text


def parse_quarantine_for(text: str, default: float) -> float | None:
    """Parse ``--quarantine-for SECONDS`` or ``--quarantine-for off``.

    :param default: what counts when nothing was said.
    :return: ``None``: off.
    :raises UsageError: anything else.
    """
    if not text:
        return default
    if text == OFF:
        return None
    try:
        seconds = parse_seconds("--quarantine-for", text)
    except UsageError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise UsageError(
            "not a time",
            key="--quarantine-for",
            value=text,
            expected="seconds, more than 0 and no more than a hundred years of them, or off",
        )
    return seconds


def parse_shard(text: str) -> tuple[int, int] | None:
    """Parse ``--shard K/N``.

    :raises UsageError: not two numbers, or not one of 1 to N.
    """
    if not text:
        return None
    which, slash, of = text.partition("/")
    part, parts = _whole_number(which), _whole_number(of)
    if not slash or part is None or parts is None or not 1 <= part <= parts:
        raise UsageError(
            "not a shard",
            key="--shard",
            value=text,
            expected=f"K/N with K from 1 to N, for example 2/3, and N up to {_MOST}",
        )
    return part, parts


def _whole_number(text: str) -> int | None:
    """Return a number; ``None`` for anything else, other programs' idea of a digit included."""
    return int(text) if re.fullmatch(rf"[0-9]{{1,{_MOST_DIGITS}}}", text) else None
