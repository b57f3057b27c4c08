"""Line disciplines: what people need who talk to a board without its driver."""

from __future__ import annotations

import pytest

from harness.console.disciplines import discipline


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("OK", True),
        ("ERROR", True),
        ("+CME ERROR: 513", True),
        ("+CMS ERROR: 304", True),
        ("NO CARRIER", True),
        ("AT+CGSN: command not found", True),
        ("OK then", False),
        ("+CME ERROR: ", False),
        ("+CMEE: 1", False),
        ("", False),
    ],
)
def test_end_of_an_at_reply(line: str, final: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A final result stands alone on its line (ITU-T V.250, 5.7.1; 3GPP TS 27.007, 9.2)."""
    assert discipline("at-host").is_final(line) is final


def test_lines_end_as_the_discipline_wants_it() -> None:
    """An AT host gets CR and LF, anybody else CR; an unknown discipline is taken for raw."""
    assert discipline("at-host").encode("AT") == b"AT\r\n"
    assert discipline("auto") is discipline("at-shell") is discipline("at-host")
    assert discipline("raw").encode("help") == b"help\r"
    assert discipline("a-vendors-own") is discipline("raw")
    assert not discipline("raw").is_final("OK")


def test_echo_is_no_answer() -> None:
    """A line that repeats the command is its echo."""
    assert discipline("at-host").is_echo("AT+CGSN", "AT+CGSN")
    assert not discipline("at-host").is_echo("OK", "AT")
    assert not discipline("at-host").is_unsolicited("%XTIME: 1")
