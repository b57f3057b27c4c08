"""The AT host's line discipline (nrfcloud fact sheet, section 6.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.at_host import AtHost


class Modem:
    """Remembers what it is asked and answers with it."""

    def __init__(self, terminator: str = "CR", capacity: int = 100, *, silent: bool = False) -> None:
        self.lines: list[str] = []
        self.sent = bytearray()
        self._silent = silent
        self.host = AtHost(self.execute, self.sent.extend, terminator=terminator, capacity=capacity)

    def execute(self, line: str) -> str | None:
        self.lines.append(line)
        return None if self._silent else f"{len(line)}\r\nOK\r\n"


def test_reply_is_preceded_by_a_line_feed_and_nothing_is_echoed() -> None:
    """The session of the fact sheet, to the byte."""
    modem = Modem()

    modem.host.receive(b"AT+CGSN\r\n")
    modem.host.receive(b"AT%CMNG=3,123,0\r\n")

    assert modem.lines == ["AT+CGSN", "AT%CMNG=3,123,0"]
    assert bytes(modem.sent) == b"\n7\r\nOK\r\n\n15\r\nOK\r\n"


def test_bytes_may_come_one_by_one() -> None:
    """Pieces of any size make the same line."""
    modem = Modem()

    for byte in b"AT+CGSN\r\n  AT\r":
        modem.host.receive(bytes([byte]))

    assert modem.lines == ["AT+CGSN", "AT"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_terminator_inside_quotes_is_data(end: bytes) -> None:
    """A certificate travels with its line breaks."""
    modem = Modem()
    content = b"-----BEGIN" + end + b"AA==" + end + b"END"

    modem.host.receive(b'AT%CMNG=0,1,0,"' + content + b'"\r\n')

    assert modem.lines == [f'AT%CMNG=0,1,0,"{content.decode()}"']


@pytest.mark.parametrize(
    ("terminator", "typed", "lead"),
    [("CR", b"AT\r", b"\n"), ("LF", b"AT\n", b""), ("CRLF", b"AT\r\n", b""), ("NULL", b"AT\0", b"")],
)
def test_terminators(terminator: str, typed: bytes, lead: bytes) -> None:
    """Each choice of the build option ends a command; only CR gets a leading line feed."""
    modem = Modem(terminator)

    modem.host.receive(typed)

    assert modem.lines == ["AT"]
    assert bytes(modem.sent) == lead + b"2\r\nOK\r\n"


def test_half_a_terminator_ends_nothing() -> None:
    """With CRLF a lone LF or CR is data."""
    modem = Modem("CRLF")

    modem.host.receive(b"A\nT\r")
    assert modem.lines == []

    modem.host.receive(b"\r\n")
    assert modem.lines == ["A\nT"]


@pytest.mark.parametrize("erase", [b"\x08", b"\x7f"])
def test_backspace_edits(erase: bytes) -> None:
    """Backspace and DEL take back the last byte, a quote too, and do nothing on an empty line."""
    modem = Modem()

    modem.host.receive(erase + b'AT+CGSX"' + erase * 2 + b"N\r")

    assert modem.lines == ["AT+CGSN"]


def test_empty_lines_are_ignored() -> None:
    """Nothing is asked and nothing is answered."""
    modem = Modem()

    modem.host.receive(b"\r\n\r\n   \r")

    assert modem.lines == []
    assert modem.sent == b""


def test_silent_modem_sends_nothing() -> None:
    """No reply means not even a line feed."""
    modem = Modem(silent=True)

    modem.host.receive(b"AT\r")

    assert modem.lines == ["AT"]
    assert modem.sent == b""


@pytest.mark.parametrize("content", [b"x" * 150, b'"' + b"x\r" * 80 + b'"'], ids=["bare", "quoted"])
def test_too_long_a_command_is_one_error(content: bytes) -> None:
    """A command that does not fit is thrown away whole; the next one is fine."""
    modem = Modem(capacity=100)

    modem.host.receive(b"AT" + content + b"\rAT\r")

    assert modem.lines == ["AT"]
    assert bytes(modem.sent) == b"\nERROR\r\n\n2\r\nOK\r\n"


def test_longest_command_fits() -> None:
    """The capacity itself is allowed."""
    modem = Modem(capacity=100)

    modem.host.receive(b"A" * 99 + b"\r")

    assert modem.lines == ["A" * 99]


def test_quote_that_never_closes_is_given_up() -> None:
    """The line comes back to life without a closing quote."""
    modem = Modem(capacity=10)

    modem.host.receive(b'AT"' + b"x" * 60 + b"\rAT\r")

    assert modem.lines == ["AT"]
    assert modem.sent.startswith(b"\nERROR\r\n")


def test_clear_forgets_a_begun_line() -> None:
    """After a power cycle the line is empty and no quote is open."""
    modem = Modem()

    modem.host.receive(b'AT+CGSN="')
    modem.host.clear()
    modem.host.receive(b"AT\r")

    assert modem.lines == ["AT"]


@given(st.lists(st.binary(max_size=40)))
def test_any_bytes_in_any_pieces(pieces: list[bytes]) -> None:
    """Whatever is typed, the pieces do not matter and every line that runs has something in it."""
    whole, split = Modem(), Modem()

    whole.host.receive(b"".join(pieces))
    for piece in pieces:
        split.host.receive(piece)

    assert whole.lines == split.lines
    assert whole.sent == split.sent
    assert "" not in whole.lines
