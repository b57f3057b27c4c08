"""Patterns of ``expect`` and ``forbid``: bytes, text and regular expressions in one form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

#: How far back a regular expression looks for a match that began in earlier chunks, in bytes.
REGEX_REACH = 64 * 1024

Pattern = bytes | str | re.Pattern[bytes] | re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was found.

    :ivar index: which of the patterns, counted from 0.
    :ivar pattern: the pattern, as it was given.
    :ivar text: the bytes that matched.
    :ivar before: the bytes between the end of the last match and this one (at most the search window).
    :ivar groups: the groups of a regular expression, as bytes.
    """

    index: int
    pattern: Pattern
    text: bytes
    before: bytes
    groups: tuple[bytes | None, ...] = ()

    @property
    def decoded(self) -> str:
        """The bytes that matched, as text."""
        return self.text.decode("utf-8", "backslashreplace")


class Matcher:
    """One pattern, ready to search a growing buffer without looking twice at the same bytes."""

    def __init__(self, pattern: Pattern) -> None:
        """Take a pattern.

        :raises UsageError: it is empty.
        """
        self.pattern = pattern
        self._literal: bytes | None = None
        self._regex: re.Pattern[bytes] | None = None
        if isinstance(pattern, bytes):
            self._literal = pattern
        elif isinstance(pattern, str):
            self._literal = pattern.encode()
        elif isinstance(pattern.pattern, bytes):
            self._regex = re.compile(pattern.pattern, pattern.flags)
        else:
            self._regex = re.compile(pattern.pattern.encode(), pattern.flags & ~re.UNICODE)
        if self._literal == b"":
            raise UsageError("an empty pattern matches nothing in particular", key="pattern")
        self.reach = REGEX_REACH if self._literal is None else len(self._literal) - 1

    def search(
        self, buffer: bytearray, start: int, seen: int
    ) -> tuple[int, int, tuple[bytes | None, ...]] | None:
        """Search from ``start``; bytes before ``seen`` were searched already.

        :return: begin, end and groups of the first match.
        """
        begin = max(start, seen - self.reach)
        if self._literal is not None:
            at = buffer.find(self._literal, begin)
            return None if at < 0 else (at, at + len(self._literal), ())
        assert self._regex is not None  # noqa: S101 - one of the two is set
        found = self._regex.search(buffer, begin)
        if found is None or (not found.group() and found.end() == len(buffer)):
            return None
        groups = tuple(None if group is None else bytes(group) for group in found.groups())
        return found.start(), found.end(), groups

    def __str__(self) -> str:
        """Return the pattern as a person writes it."""
        if isinstance(self.pattern, re.Pattern):
            return f"re {self.pattern.pattern!r}"
        return repr(self.pattern)


def line_test(wanted: str | re.Pattern[str] | Callable[[str], bool]) -> Callable[[str], bool]:
    """Return what tells whether a line is wanted: how it begins, an expression that it matches, or a test."""
    if isinstance(wanted, str):
        return lambda text: text.startswith(wanted)
    if isinstance(wanted, re.Pattern):
        return lambda text: wanted.search(text) is not None
    return wanted
