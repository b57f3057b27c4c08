"""What a secret is, and what is a secret wherever it appears."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A shorter value would be found by accident all over a report.
SHORTEST_SECRET = 6

_LETTERS_OF_A_HINT = 5
_SEGMENT = r"[A-Za-z0-9_-]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A value, or a pattern of values, that must never be written; give exactly one of the two.

    :ivar label: what stands in its place: ``[redacted: LABEL]``.
    :ivar value: the value itself.
    :ivar pattern: a regular expression; where it has a group called ``secret``, only that is replaced.
    :ivar hint: a text that is in everything that the pattern matches: where it is not, the pattern is not
        tried, which is much faster.
    """

    label: str
    value: str | None = None
    pattern: str | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        """Refuse both and neither."""
        if (self.value is None) == (self.pattern is None):
            raise UsageError(
                "a secret has a value or a pattern", key=self.label, expected="exactly one of them"
            )


#: What is a secret wherever it appears.
COMMON_SECRETS = (
    # At most 16 KiB: after a key that was cut off the rest of a report must stay readable.
    Secret(
        label="private key",
        pattern=(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----END)){0,16384}"
            r"(?:-----END [A-Z ]*PRIVATE KEY-----)?"
        ),
        hint="PRIVATE KEY-----",
    ),
    # Two further segments make a JWT, more of them a JWE; the last may be empty or cut off. Only where a
    # run of such characters begins, and only if two dots follow: else long runs would be read many times.
    Secret(
        label="token",
        pattern=(
            rf"(?<!{_SEGMENT})(?={_SEGMENT}*+\.{_SEGMENT}*+\.){_SEGMENT}*?"
            rf"(?P<secret>eyJ{_SEGMENT}++(?:\.{_SEGMENT}*+){{2,}})"
        ),
        hint="eyJ",
    ),
    Secret(
        label="bearer token",
        pattern=r"(?i)\bbearer[ \t]+(?P<secret>[A-Za-z0-9._~+/=-]{6,})",
        hint="bearer",
    ),
    Secret(
        label="password in an address",
        pattern=r"://[^/\s:@\"'<>]{0,256}:(?P<secret>[^/\s@\"'<>]{1,256})@",
        hint="://",
    ),
)


class Find(NamedTuple):
    """A secret in some data.

    :ivar may_go_on: it might be longer if more data followed.
    """

    start: int
    end: int
    label: str
    may_go_on: bool = False


class Pattern:
    """A compiled pattern with its label.

    :ivar hints: it matches only where one of these is; empty when nothing is known of that.
    """

    def __init__(self, pattern: str, label: str, hint: str = "") -> None:
        """Compile it.

        :raises UsageError: it is no regular expression.
        """
        try:
            self._expression = re.compile(pattern.encode())
        except re.error as error:
            raise UsageError(f"no regular expression: {error}", key=label, value=pattern) from error
        self._group: str | int = "secret" if "secret" in self._expression.groupindex else 0
        self._label = label
        ignores_case = bool(self._expression.flags & re.IGNORECASE)
        self.hints = frozenset(_casings(hint) if ignores_case else [hint.encode()] if hint else [])

    def find(self, data: bytes) -> Iterator[Find]:
        """Give each match."""
        for match in self._expression.finditer(data):
            yield Find(*match.span(self._group), self._label, may_go_on=True)


def _casings(hint: str) -> list[bytes]:
    """Return every way to write the beginning of a text in capitals or not."""
    casings = [""] if hint else []
    for letter in hint[:_LETTERS_OF_A_HINT]:
        casings = [text + each for text in casings for each in {letter.lower(), letter.upper()}]
    return [text.encode() for text in casings]
