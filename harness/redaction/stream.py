"""A stream that arrives in chunks, redacted by lines, so that what is split over chunks is found whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.redaction.patterns import Find
    from harness.redaction.redactor import Redactor

#: A line that does not end is passed on in pieces of about this size, in bytes.
LONGEST_LINE = 64 * 1024

_KEY_END = b"-----END"
_SHORTEST_REACH = 4096
_CONTEXT = 256
"""So much of what stands before a secret is kept with it, where a line has to be cut: patterns look at it."""
_ESCAPED = 4
"""How much longer than a value its escaped form may be."""


class RedactedStream:
    """One stream. What comes out is what redaction of the whole would give, if no line is too long.

    Memory is bounded: about twice the longest line is held at most.
    """

    def __init__(self, redactor: Redactor, longest_line: int) -> None:
        """Begin a stream."""
        self._redactor = redactor
        self._longest = longest_line
        self._held = bytearray()
        self._look_again_at = 0
        """While something that began is held back: the size from which it is worth another look."""
        self.looked_at = 0
        """Bytes that were searched so far, some of them twice: what a stream costs."""

    def feed(self, data: bytes) -> bytes:
        """Take a chunk and return what can be written now."""
        known = len(self._held)
        size = known + len(data)
        ends = b"\n" in data or b"\r" in data or size > self._longest
        if not ends or size < self._look_again_at:
            self._held += data
            if not ends or self._held.find(_KEY_END, max(0, known - len(_KEY_END))) < 0:
                return b""
            data = b""
        return self._pass_on(bytes(self._held) + data if self._held else data)

    def finish(self) -> bytes:
        """Return what was held back; the stream is at its end."""
        ready = bytes(self._held)
        self._held.clear()
        self._look_again_at = 0
        return self._redactor.redact_bytes(ready)

    def _pass_on(self, data: bytes) -> bytes:
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        begun = self._redactor.values.begun(data, end) if end else 0
        if end and not line_start(data, begun) and len(data) <= self._longest:
            self._held = bytearray(data)
            return b""  # the beginning of something of several lines, and nothing before it
        self.looked_at += len(data)
        finds = self._redactor.find(data)
        cut = _before(finds, line_start(data, begun), end, lambda start: line_start(data, start))
        waits = any(cut <= found.start < end <= found.end and found.may_go_on for found in finds)
        if len(data) - cut > self._longest:
            cut = self._cut_in_line(data, finds)
            waits = False
        self._held = bytearray(data[cut:])
        # What may go on in the next lines is looked at again when it has doubled, or when a key ends.
        left = len(self._held)
        self._look_again_at = min(left + max(left, 256), self._longest + 1) if waits else 0
        return replaced(data, finds, cut)

    def _cut_in_line(self, data: bytes, finds: Sequence[Find]) -> int:
        """Return where a line that is too long can be cut: where no secret is, or may have begun."""
        reach = min(max(_SHORTEST_REACH, _ESCAPED * self._redactor.values.longest), self._longest // 2)
        cut = _before(finds, len(data) - reach, len(data), lambda start: max(0, start - _CONTEXT))
        # What is as long as that is no secret that we know: it goes, in pieces.
        return cut if cut >= len(data) - self._longest // 2 - reach else len(data)


def line_start(data: bytes, position: int) -> int:
    """Return where the line begins in which a position is."""
    return max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1


def _before(finds: Sequence[Find], cut: int, end: int, place: Callable[[int], int]) -> int:
    """Return where to cut at the latest so that nothing is split that was found, or that may go on.

    :param place: where to cut for the sake of something that begins at a position.
    """
    for found in reversed(finds):
        if found.start < cut and (found.end > cut or (found.may_go_on and found.end >= end)):
            cut = place(found.start)
    return cut


def replaced(data: bytes, finds: Sequence[Find], end: int) -> bytes:
    """Return data up to an end, with marks in place of what was found there.

    :param finds: in order; none overlaps another, or the end.
    """
    if not finds:
        return data[:end]
    pieces: list[bytes] = []
    at = 0
    for found in finds:
        if found.end > end:
            break
        pieces += (data[at : found.start], f"[redacted: {found.label}]".encode())
        at = found.end
    pieces.append(data[at:end])
    return b"".join(pieces)
