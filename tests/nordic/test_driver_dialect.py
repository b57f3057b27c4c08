"""The AT dialect of the driver ``nrf91``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.driver_dialect import AtDialect, error_code, without_content


@pytest.mark.parametrize(
    "line", ["OK", "ERROR", "+CME ERROR: 513", "+CME ERROR:513", "+CMS ERROR: 302", " OK "]
)
def test_final_lines(line: str) -> None:
    """These end a reply."""
    assert AtDialect("AT").is_final(line)


@pytest.mark.parametrize("line", ["", "OK.", "NOT OK", "ERROR 3", "+CME ERROR", "%CMNG: 1", "uart:~$ OK"])
def test_other_lines(line: str) -> None:
    """A final line stands alone on its line (nrfcloud fact sheet, section 7.2)."""
    assert not AtDialect("AT").is_final(line)


@pytest.mark.parametrize(
    "line",
    ["+CEREG: 1", '+CEREG: 2,"1A2B"', "#XNRFPROV: -2", "%XTIME: ,1", "+CSCON: 0", "Ready", "%MDMEV: x"],
)
def test_unsolicited_lines(line: str) -> None:
    """What comes unasked is kept apart from a reply."""
    assert AtDialect("AT+CGSN").is_unsolicited(line)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("AT+CEREG?", "+CEREG: 0,1"),
        ("at+cereg?", "+CEREG: 0,1"),
        ("AT%CMNG=1", "%CMNG: 1,0"),
        ("AT+CGSN", "359404230261381"),
        ("AT#XNRFPROV=?", "#XNRFPROV"),
        ("AT", "Readyness"),
    ],
)
def test_answers_are_not_unsolicited(command: str, line: str) -> None:
    """A line of the command's own name answers it."""
    assert not AtDialect(command).is_unsolicited(line)


def test_sending() -> None:
    """CR and LF end a command; a certificate keeps its line breaks."""
    assert AtDialect("AT").encode('AT%CMNG=0,1,0,"a\nb"') == b'AT%CMNG=0,1,0,"a\nb"\r\n'
    assert AtDialect("AT").is_echo("AT", "AT")
    assert not AtDialect("AT").is_echo("OK", "AT")


@pytest.mark.parametrize(
    ("final", "code"),
    [("+CME ERROR: 518", 518), ("+CME ERROR:0", 0), ("ERROR", None), ("+CMS ERROR: 302", None)],
)
def test_error_codes(final: str, code: int | None) -> None:
    """Only CME errors have a number for us."""
    assert error_code(final) == code


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ('AT%CMNG=0,5,2,"-----BEGIN\nsecret"', "AT%CMNG=0,5,2,..."),
        ('at%cmng=0,5,3,"00ff","pw"', "at%cmng=0,5,3,..."),
        ("AT%CMNG=3,5,2", "AT%CMNG=3,5,2"),
        ('AT%KEYGEN=5,2,0,"CN=x"', 'AT%KEYGEN=5,2,0,"CN=x"'),
    ],
)
def test_content_stays_out_of_messages(command: str, shown: str) -> None:
    """What a write carries is never part of a message."""
    assert without_content(command) == shown


@given(st.text(), st.text())
def test_any_line_is_judged(command: str, line: str) -> None:
    """No line is both the end of a reply and unsolicited."""
    dialect = AtDialect(command)

    assert not (dialect.is_final(line) and dialect.is_unsolicited(line))
