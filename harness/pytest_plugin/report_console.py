"""What consoles said during a test, for the report: bounded, redacted, with times."""

from __future__ import annotations

import os
import re
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

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
# A secret may lie across a cut: it is looked for with so many bytes of context.
_MARGIN: Final = 8 * 1024
_STRIDE: Final = 64
_MARK: Final = 100
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LOOK_AHEAD: Final = 200


def shorten(text: str, clean: Clean, *, largest: int = LARGEST) -> str:
    """Return a redacted text of at most so many bytes: all of it, or its head and its tail.

    The whole is redacted before anything is cut, so that no part of a secret is left at a cut.
    """
    return _bounded(clean(text), largest)


def _bounded(text: str, largest: int = LARGEST) -> str:
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= largest:
        return data.decode()
    half = (largest - _MARK) // 2
    return _head(text, half) + _left_out(len(data) - 2 * half) + _tail(text, half)


def _head(text: str, size: int) -> str:
    return text.encode("utf-8", "backslashreplace")[:size].decode(errors="ignore")


def _tail(text: str, size: int) -> str:
    return text.encode("utf-8", "backslashreplace")[-size:].decode(errors="ignore")


def _left_out(count: int) -> str:
    return f"\n... about {count} bytes left out ...\n"


class ConsoleSlice:
    """What one console said from a position on. What nobody asks for is not worked out.

    :ivar role: the console's role.
    """

    def __init__(self, role: str, console: Console, start: int, clean: Clean) -> None:
        """Take what it has said by now."""
        self.role = role
        self._console = console
        self._start = start
        self._clean = clean
        try:
            self._end: int | None = console.position
        except (HarnessError, OSError, ValueError):  # lost or closed: what was captured can still be read
            self._end = None

    @cached_property
    def text(self) -> str:
        """Every line with the time at which it came, redacted, at most :data:`LARGEST` bytes."""
        try:
            return _text(self._console, self._start, self._reached(), self._clean)
        except (OSError, ValueError) as error:  # closed with its file
            return f"(cannot be read any more: {error})"

    @cached_property
    def tail(self) -> str:
        """The last lines, redacted, without times."""
        try:
            end = self._reached()
            begin = max(self._start, end - _TAIL_BYTES - _MARGIN)
            return last_lines(self._console.slice(begin, end), self._clean, cut=begin > self._start)
        except (OSError, ValueError):
            return ""

    def _reached(self) -> int:
        if self._end is None:
            self._end = self._start + len(self._console.slice(self._start))
        return self._end


def slices(consoles: Mapping[str, Console], marks: Mapping[str, int], clean: Clean) -> Iterator[ConsoleSlice]:
    """Give the slice of each console from its mark on; one that was opened since begins at 0."""
    for role, console in consoles.items():
        yield ConsoleSlice(role, console, marks.get(role, 0), clean)


def _text(console: Console, start: int, end: int, clean: Clean) -> str:
    size = end - start
    if size <= LARGEST:
        return _bounded(_with_times(console.lines_with_times(start, end), clean))
    half = (LARGEST - _MARK) // 2
    beginning = console.slice(start, start + half + _MARGIN)
    ending = console.slice(end - half - _MARGIN, end)
    first = start + safe_cut(beginning, half, clean, step=-1)
    last = end - len(ending) + safe_cut(ending, _MARGIN, clean, step=1)
    head = _with_times(console.lines_with_times(start, first), clean)
    tail = _with_times(console.lines_with_times(last, end), clean)
    return _head(head, half) + _left_out(size - LARGEST) + _tail(tail, half)


def safe_cut(data: bytes, near: int, clean: Clean, *, step: Literal[-1, 1]) -> int:
    """Return where data can be cut so that no secret has a part on either side.

    A place is good when the redacted beginning is the beginning of the redacted whole. Line ends are tried
    before other places.

    :param near: where to begin to look.
    :param step: the direction in which to look; one end of the data when no place is good.
    """
    whole = _clean_bytes(data, clean)
    end = len(data) if step > 0 else 0
    lines = [match.end() for match in re.finditer(rb"\n", data)]
    for places in (lines[::step], range(near, end, step * _STRIDE)):
        for place in places:
            if place * step >= near * step and whole.startswith(_clean_bytes(data[:place], clean)):
                return place
    return end


def _clean_bytes(data: bytes, clean: Clean) -> bytes:
    return clean(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def last_lines(data: bytes, clean: Clean, *, cut: bool) -> str:
    """Return the last lines of what a console said, redacted, made fit for a page.

    :param cut: whether the data begins in the middle of something: at most its first 8 KiB are left out.
    """
    if cut:
        data = data[safe_cut(data, min(_MARGIN, len(data)), clean, step=1) :]
    lines = _tail(_printable(clean(_decode(data))), _TAIL_BYTES).splitlines()
    return "\n".join([line for line in lines if line][-TAIL_LINES:])


def name_of_console(board_id: str, role: str, *, of: int) -> str:
    """Return what a console is called in the report of a test that uses so many boards."""
    return role if of == 1 else f"{board_id} {role}"


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
    begin_of_name = re.sub(r"[^\w.-]", "_", f"{board_id}-")  # as the capture names its files
    for file in sorted(directory.glob("*.raw")):
        if not file.name.startswith(begin_of_name):
            continue
        with file.open("rb") as raw:
            begin = raw.seek(max(0, raw.seek(0, os.SEEK_END) - _TAIL_BYTES - _MARGIN))
            tails[file.stem.removeprefix(begin_of_name)] = last_lines(raw.read(), clean, cut=begin > 0)
    return tails


def _with_times(timed: Sequence[tuple[float, bytes]], clean: Clean) -> str:
    """Redact lines as one text, and give each its time back where it can still be told."""
    originals = [_decode(line) for _, line in timed]
    lines: list[str] = []
    at = 0
    for line in clean("\n".join(originals)).split("\n") if timed else ():
        ahead = range(at, min(at + _LOOK_AHEAD, len(originals)))
        found = next(
            (number for number in ahead if line == originals[number] or line == clean(originals[number])),
            None,
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
