"""Console slices: bounded, with times, and without secrets even where they are cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardLost
from harness.pytest_plugin.report_console import (
    LARGEST,
    last_lines,
    last_lines_of_capture,
    one_text,
    shorten,
    slices,
)
from harness.redaction import COMMON_SECRETS, Redactor, Secret

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret" * 20  # 120 bytes, so that a cut within it is likely to be noticed
PEM = "\n".join(
    ["-----BEGIN PRIVATE KEY-----", *["MIGHAgEAMBMGByqGSM49AgEG" * 2] * 20, "-----END PRIVATE KEY-----"]
)


@pytest.fixture
def clean() -> Any:
    """Redaction that knows one value and private keys."""
    return Redactor([Secret(label="it", value=SECRET), *COMMON_SECRETS]).redact


class SpokenConsole:
    """The part of a console that looks back, over bytes that came 1,000 at a time, a second apart."""

    def __init__(self, data: bytes, *, lost: bool = False, closed: bool = False) -> None:
        """Have said something."""
        self._data = data
        self._lost = lost
        self._closed = closed

    @property
    def position(self) -> int:
        """Bytes captured so far."""
        if self._lost:
            raise BoardLost("gone")
        return len(self._data)

    def slice(self, start: int, end: int | None = None) -> bytes:
        """Return a slice."""
        if self._closed:
            raise ValueError("closed")
        return self._data[start : len(self._data) if end is None else end]

    def lines_with_times(self, start: int, end: int | None = None) -> list[tuple[float, bytes]]:
        """Return lines with the times at which they began."""
        lines, at = [], start
        for line in self.slice(start, end).splitlines(keepends=True):
            lines.append((float(at // 1000), line.rstrip(b"\r\n")))
            at += len(line)
        return lines


def slice_of(console: Any, clean: Any, mark: int = 0) -> Any:
    """Return the slice of the one console."""
    (found,) = slices({"console": console}, {"console": mark}, clean)
    return found


def test_each_line_has_its_time(clean: Any) -> None:
    """Lines come with the time of day, without what came before the test began."""
    found = slice_of(SpokenConsole(b"before\r\nAT\r\n\r\nOK\r\n"), clean, mark=8)

    assert re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "T", found.text) == "T  AT\nT  \nT  OK\n"
    assert found.tail == "AT\nOK"
    assert found.role == "console"


def test_a_key_over_many_lines_is_one_mark(clean: Any) -> None:
    """A private key is taken out whole, and the lines around it keep their times."""
    data = f"one\r\n{PEM}\r\ntwo\r\n{PEM}\r\nthree\r\n".encode()
    found = slice_of(SpokenConsole(data), clean)

    assert [line[14:] for line in found.text.splitlines()] == [
        "one",
        "[redacted: private key]",
        "two",
        "[redacted: private key]",
        "three",
    ]
    assert "MIGH" not in found.tail


def test_bytes_that_are_no_text_are_shown(clean: Any) -> None:
    """Garbled bytes and control characters cannot break a page or a terminal."""
    found = slice_of(SpokenConsole(b"a\xff\x1b[31mb\x00\r\n"), clean)

    assert found.text.endswith("  a\\xff\\x1b[31mb\\x00\n")


@pytest.mark.parametrize("shift", range(0, 130, 11))
def test_a_long_slice_is_cut_and_leaks_nothing(clean: Any, shift: int) -> None:
    """Head and tail of a long slice fit the limit; a secret across a cut is not left in part."""
    data = b"x" * shift + b"\n" + (SECRET.encode() + b"\n") * (3 * LARGEST // len(SECRET))
    found = slice_of(SpokenConsole(data), clean)

    assert len(found.text.encode()) <= LARGEST
    assert "bytes left out" in found.text
    assert "s3cret" not in found.text
    assert "s3cret" not in found.tail
    assert "[redacted: it]" in found.tail


def test_a_line_without_end_is_shown_in_part(clean: Any) -> None:
    """A board that never ends its line is shown too, head and tail."""
    found = slice_of(SpokenConsole(b"begin" + b"." * (3 * LARGEST) + b"end"), clean)

    assert found.text[14:].startswith("begin....")
    assert found.text.rstrip().endswith("....end")
    assert found.tail.endswith("....end")
    assert len(found.text.encode()) <= LARGEST


def test_a_lost_or_closed_console(clean: Any) -> None:
    """What a console said before its board went away is shown; a closed one says that it cannot be read."""
    lost = slice_of(SpokenConsole(b"last words\r\n", lost=True), clean)
    assert lost.tail == "last words"
    assert "last words" in lost.text

    assert "cannot be read any more" in slice_of(SpokenConsole(b"x", closed=True), clean).text


def test_nothing_was_said(clean: Any) -> None:
    """A silent console has an empty slice."""
    found = slice_of(SpokenConsole(b""), clean)
    assert (found.text, found.tail) == ("", "")


def test_tails_are_read_from_what_a_dead_worker_left(tmp_path: Path, clean: Any) -> None:
    """The files of one board are found by its id, and no other's; a cut secret is not shown in part."""
    (tmp_path / "board-1-console.raw").write_bytes(SECRET.encode() * 1000 + b"\r\nlast\r\n")
    (tmp_path / "board-1-trace.raw").write_bytes(b"trace\r\n")
    (tmp_path / "board-1-console.index").write_bytes(b"")
    (tmp_path / "board-10-console.raw").write_bytes(b"another board")

    tails = last_lines_of_capture(tmp_path, "board-1", clean)

    assert set(tails) == {"console", "trace"}
    assert tails["console"].endswith("last")
    assert "s3cret" not in tails["console"]
    assert last_lines_of_capture(tmp_path / "nowhere", "board-1", clean) == {}


def test_only_the_last_lines_are_a_tail(clean: Any) -> None:
    """A tail has at most 25 lines."""
    assert last_lines(b"".join(b"%d\n" % number for number in range(100)), clean, cut=False).split() == [
        str(number) for number in range(75, 100)
    ]


def test_several_consoles_are_told_apart() -> None:
    """A role is named only when there is more than one console with something to say."""
    assert one_text({"console": "a", "trace": ""}) == "a"
    assert one_text({"console": "a", "trace": "b"}) == "console:\na\ntrace:\nb"
    assert one_text({}) == ""


def test_a_long_text_is_redacted_before_it_is_cut(clean: Any) -> None:
    """Text of an exchange keeps head and tail; a secret at the cut is gone before the cut."""
    text = "head " + SECRET * (2 * LARGEST // len(SECRET)) + " tail"
    short = shorten(text + "x" * LARGEST + "end", clean)

    assert short.startswith("head [redacted: it]")
    assert short.endswith("xend")
    assert "bytes left out" in short
    assert len(short.encode()) <= LARGEST
    assert shorten("short", clean) == "short"
