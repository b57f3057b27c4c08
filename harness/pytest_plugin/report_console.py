"""What consoles said during a test, for the report: bounded, redacted, with times."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.console.console import Console
    from harness.pytest_plugin.report_redaction import Clean

#: An attachment holds at most so many bytes of what it is about: head and tail.
LARGEST: Final = 64 * 1024
TAIL_LINES: Final = 25
_TAIL_BYTES: Final = 4 * 1024
# A secret may begin before a cut and end behind it: so many bytes beside a cut are redacted and thrown away.
_MARGIN: Final = 8 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LOOK_AHEAD: Final = 200


def shorten(text: str, clean: Clean, *, largest: int = LARGEST) -> str:
    """Return a redacted text of at most so many bytes: all of it, or its head and its tail.

    The whole is redacted before anything is cut, so that no part of a secret is left at a cut.
    """
    data = clean(text).encode("utf-8", "backslashreplace")
    if len(data) <= largest:
        return data.decode()
    half = (largest - 100) // 2
    left_out = f"\n... {len(data) - 2 * half} bytes left out ...\n"
    return data[:half].decode(errors="ignore") + left_out + data[-half:].decode(errors="ignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSlice:
    """What one console said from a position on.

    :ivar role: the console's role.
    :ivar text: every line with the time at which it came, redacted, at most :data:`LARGEST` bytes.
    :ivar tail: the last lines, without times.
    """

    role: str
    text: str
    tail: str


def slices(consoles: Mapping[str, Console], marks: Mapping[str, int], clean: Clean) -> Iterator[ConsoleSlice]:
    """Give the slice of each console from its mark on; one that was opened since begins at 0."""
    for role, console in consoles.items():
        try:
            end = console.position
        except (HarnessError, OSError, ValueError):  # lost or closed: what was captured can still be read
            end = None
        try:
            yield _slice(role, console, marks.get(role, 0), end, clean)
        except (OSError, ValueError) as error:  # closed with its file
            yield ConsoleSlice(role=role, text=f"(cannot be read any more: {error})", tail="")


def _slice(role: str, console: Console, start: int, end: int | None, clean: Clean) -> ConsoleSlice:
    end = start + len(console.slice(start)) if end is None else end
    size = end - start
    if size <= LARGEST:
        text = _with_times(console.lines_with_times(start, end), clean)
    else:
        half = LARGEST // 2
        head = _with_times(console.lines_with_times(start, start + half + _MARGIN), clean)
        tail = _with_times(console.lines_with_times(end - half - _MARGIN, end), clean)
        left_out = f"\n... about {size - LARGEST} bytes left out ...\n"
        text = _head_of_cut(head, half) + left_out + _tail_of_cut(tail, half)
    begin = max(start, end - _TAIL_BYTES - 2 * _MARGIN)
    said = last_lines(console.slice(begin, end), clean, cut=begin > start)
    return ConsoleSlice(role=role, text=text, tail=said)


def last_lines(data: bytes, clean: Clean, *, cut: bool) -> str:
    """Return the last lines of what a console said, redacted, made fit for a page.

    :param cut: whether the data begins in the middle of something.
    """
    text = _printable(clean(_decode(data)))
    text = _tail_of_cut(text, _TAIL_BYTES) if cut else text
    lines = [line for line in text.encode()[-_TAIL_BYTES:].decode(errors="ignore").splitlines() if line]
    return "\n".join(lines[-TAIL_LINES:])


def one_text(tails: Mapping[str, str]) -> str:
    """Return the last lines of several consoles as one text; a role is named when there are several."""
    said = {role: tail for role, tail in tails.items() if tail}
    if len(said) == 1:
        return next(iter(said.values()))
    return "\n".join(f"{role}:\n{tail}" for role, tail in said.items())


def last_lines_of_capture(directory: Path, board_id: str, clean: Clean) -> dict[str, str]:
    """Return the last lines of each console of a board by role, from the files that its worker left.

    :param directory: where the consoles were captured, as ``ID-ROLE.raw``.
    """
    tails: dict[str, str] = {}
    for file in sorted(directory.glob("*.raw")):
        if not file.name.startswith(f"{board_id}-"):
            continue
        with file.open("rb") as raw:
            begin = raw.seek(max(0, raw.seek(0, os.SEEK_END) - _TAIL_BYTES - 2 * _MARGIN))
            tails[file.stem.removeprefix(f"{board_id}-")] = last_lines(raw.read(), clean, cut=begin > 0)
    return tails


def _with_times(timed: Sequence[tuple[float, bytes]], clean: Clean) -> str:
    """Redact lines as one text, and give each its time back where it can still be told."""
    originals = [_decode(line) for _, line in timed]
    lines: list[str] = []
    at = 0
    for line in clean("\n".join(originals)).split("\n") if timed else ():
        ahead = range(at, min(at + _LOOK_AHEAD, len(originals)))
        found = next(
            (number for number in ahead if line in {originals[number], clean(originals[number])}), None
        )
        number = min(at, len(originals) - 1) if found is None else found
        at = number + (found is not None)
        lines.append(f"{_clock(timed[number][0])}  {_printable(line)}\n")
    return "".join(lines)


def _clock(seconds: float) -> str:
    whole = time.strftime("%H:%M:%S", time.localtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03}"


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _printable(text: str) -> str:
    return _CONTROL.sub(lambda control: f"\\x{ord(control[0]):02x}", text.replace("\r\n", "\n"))


def _head_of_cut(text: str, size: int) -> str:
    """Return the head of a text that was cut at its end, without what may be part of a secret there."""
    data = text.encode()
    return data[: max(0, len(data) - _MARGIN)][:size].decode(errors="ignore")


def _tail_of_cut(text: str, size: int) -> str:
    """Return the tail of a text that was cut at its begin, without what may be part of a secret there."""
    return text.encode()[_MARGIN:][-size:].decode(errors="ignore")
