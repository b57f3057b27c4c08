"""The registry of secrets, and the one processor that every sink passes through.

A value is found in its raw, base64, hex, URL-escaped and JSON-escaped form; a pattern where it matches.
Overlapping finds are joined before anything is replaced, so that no part of either is left over.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A shorter value would be found by accident all over a report.
SHORTEST_SECRET = 6
#: A line that does not end is passed on in pieces of this size, in bytes.
LONGEST_LINE = 64 * 1024

_PEM_BEGIN = b"-----BEGIN"
_SEGMENT = r"[A-Za-z0-9_-]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A value, or a pattern of values, that must never be written; give exactly one of the two.

    :ivar label: what stands in its place: ``[redacted: LABEL]``.
    :ivar value: the value itself.
    :ivar pattern: a regular expression; where it has a group called ``secret``, only that is replaced.
    """

    label: str
    value: str | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        """Refuse both and neither."""
        if (self.value is None) == (self.pattern is None):
            raise UsageError(
                "a secret has a value or a pattern", key=self.label, expected="exactly one of them"
            )


#: What is a secret wherever it appears.
COMMON_SECRETS = (
    Secret(
        label="private key",
        pattern=(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
        ),
    ),
    # Two further segments make a JWT, more of them a JWE; the last may be empty or cut off.
    Secret(label="token", pattern=rf"eyJ{_SEGMENT}+(?:\.{_SEGMENT}*){{2,}}"),
    Secret(label="bearer token", pattern=r"(?i)\bbearer\s+(?P<secret>[A-Za-z0-9._~+/=-]{6,})"),
)


class Redactor:
    """Knows every secret of a session and takes them out of whatever is about to be written."""

    def __init__(self, secrets: Iterable[Secret] = COMMON_SECRETS) -> None:
        """Know some secrets; others are added where they enter."""
        self._lock = threading.Lock()
        self._labels: dict[bytes, str] = {}
        self._patterns: list[tuple[re.Pattern[bytes], str]] = []
        self._finder: Any = None
        self._forms: list[bytes] = []
        for secret in secrets:
            self.add_secret(secret)

    def add_secret(self, secret: Secret) -> None:
        """Register a secret of either kind.

        :raises UsageError: its value is too short, or its pattern is no regular expression.
        """
        if secret.value is not None:
            self.add(secret.value, secret.label)
        elif secret.pattern is not None:
            self.add_pattern(secret.pattern, secret.label)

    def add(self, value: str | bytes, label: str) -> None:
        """Register a value.

        :raises UsageError: it is shorter than :data:`SHORTEST_SECRET` characters.
        """
        raw = value.encode() if isinstance(value, str) else value
        if len(raw) < SHORTEST_SECRET:
            raise UsageError(
                "this secret is too short to be taken out of reports",
                key=label,
                expected=f"at least {SHORTEST_SECRET} characters",
            )
        with self._lock:
            for form in _forms(raw):
                self._labels.setdefault(form, label)
            self._finder = None

    def add_pattern(self, pattern: str, label: str) -> None:
        """Register a pattern.

        :raises UsageError: it is no regular expression.
        """
        try:
            compiled = re.compile(pattern.encode())
        except re.error as error:
            raise UsageError(f"no regular expression: {error}", key=label, value=pattern) from error
        with self._lock:
            self._patterns.append((compiled, label))

    def redact(self, text: str) -> str:
        """Return a text without secrets."""
        data = text.encode("utf-8", "surrogateescape")
        clean = self.redact_bytes(data)
        return text if clean is data else clean.decode("utf-8", "surrogateescape")

    def redact_bytes(self, data: bytes) -> bytes:
        """Return bytes without secrets; the very same object when there was none."""
        finds = self._joined(self._find(data))
        if not finds:
            return data
        pieces: list[bytes] = []
        at = 0
        for start, end, label in finds:
            pieces += (data[at:start], f"[redacted: {label}]".encode())
            at = end
        pieces.append(data[at:])
        return b"".join(pieces)

    def stream(self) -> RedactedStream:
        """Return a processor for one stream that arrives in chunks."""
        return RedactedStream(self)

    def settled(self, data: bytes) -> int:
        """Return up to where a stream's buffer can be redacted, whatever comes next."""
        end = data.rfind(b"\n") + 1
        if not end and len(data) > LONGEST_LINE:
            end = len(data)
        key = data.rfind(_PEM_BEGIN, 0, end)
        if key >= 0 and data.find(b"-----END", key, end) < 0 and len(data) - key <= LONGEST_LINE:
            end = key
        with self._lock:
            several_lines = [form for form in self._labels if b"\n" in form]
        for form in several_lines:
            for length in range(min(len(form) - 1, end), 0, -1):
                if data.startswith(form[:length], end - length):
                    end -= length
                    break
        for start, stop, _label in self._joined(self._find(data)):
            if start < end < stop:
                end = start
        return end

    def _find(self, data: bytes) -> list[tuple[int, int, str]]:
        with self._lock:
            if self._finder is None and self._labels:
                import ahocorasick_rs

                self._forms = list(self._labels)
                self._finder = ahocorasick_rs.BytesAhoCorasick(self._forms)
            finder, forms, labels, patterns = self._finder, self._forms, self._labels, list(self._patterns)
        finds: list[tuple[int, int, str]] = []
        if finder is not None:
            for number, start, end in finder.find_matches_as_indexes(data, overlapping=True):
                finds.append((start, end, labels[forms[number]]))
        for pattern, label in patterns:
            group = "secret" if "secret" in pattern.groupindex else 0
            finds += [(*match.span(group), label) for match in pattern.finditer(data)]
        return finds

    @staticmethod
    def _joined(finds: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
        joined: list[tuple[int, int, str]] = []
        for start, end, label in sorted(finds, key=lambda find: (find[0], -find[1])):
            if joined and start < joined[-1][1]:
                first, last, known = joined[-1]
                joined[-1] = (first, max(last, end), known)
            elif end > start:
                joined.append((start, end, label))
        return joined


class RedactedStream:
    """One stream, redacted line by line, so that a secret split over chunks is found whole."""

    def __init__(self, redactor: Redactor) -> None:
        """Begin a stream."""
        self._redactor = redactor
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take a chunk and return what can be written now."""
        self._held += data
        end = self._redactor.settled(self._held)
        ready, self._held = self._held[:end], self._held[end:]
        return self._redactor.redact_bytes(ready)

    def finish(self) -> bytes:
        """Return what was held back; the stream is at its end."""
        ready, self._held = self._held, b""
        return self._redactor.redact_bytes(ready)


def _forms(raw: bytes) -> set[bytes]:
    forms = {raw, raw.hex().encode(), raw.hex().upper().encode()}
    for lead in range(3):
        # Three alignments; the characters that also depend on the neighbours are cut off.
        encoded = base64.b64encode(bytes(lead) + raw)
        start = (lead * 8 + 5) // 6
        stop = (lead + len(raw)) * 8 // 6
        piece = encoded[start:stop]
        if len(piece) >= SHORTEST_SECRET:
            forms |= {piece, piece.replace(b"+", b"-").replace(b"/", b"_")}
    text = raw.decode("utf-8", "surrogateescape")
    forms |= {quote(raw, safe="").encode(), quote(raw).encode(), quote_plus(raw).encode()}
    for plain in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        escaped = plain[1:-1]
        forms |= {
            escaped.encode("utf-8", "surrogateescape"),
            escaped.replace("/", "\\/").encode("utf-8", "surrogateescape"),
        }
    return forms
