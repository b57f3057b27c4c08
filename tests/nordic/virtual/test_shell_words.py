"""How a Zephyr shell takes a line apart (Zephyr documentation, "Shell"; nrfcloud fact sheet, section 6.2)."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.shell_words import MOST_WORDS, NotTerminated, TooManyWords, split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("at AT+CGSN", ["at", "AT+CGSN"]),
        ("  kernel   reboot  warm ", ["kernel", "reboot", "warm"]),
        ("at 'AT%CMNG=1, 5'", ["at", "AT%CMNG=1, 5"]),
        ("""at 'AT%KEYGEN=5,2,0,"CN=x,O=y z"'""", ["at", 'AT%KEYGEN=5,2,0,"CN=x,O=y z"']),
        ('nrf_cloud_cred csr 5 "CN=a b"', ["nrf_cloud_cred", "csr", "5", "CN=a b"]),
        (r"at 'BEGIN\nAA==\nEND'", ["at", r"BEGIN\nAA==\nEND"]),
        (r"a\ b", ["a b"]),
        (r"a\'b", ["a'b"]),
        (r"'it\'s'", ["it's"]),
        (r"'\x41\x4a2\0101\z'", ["AJ2A\\z"]),
        (r"\x41", ["x41"]),
        ("''", [""]),
        ("a''b", ["ab"]),
        ("a'b c'd", ["ab cd"]),
        ("trailing\\", ["trailing"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    """Blanks part words, marks hold them together; in marks a backslash before an n is just that."""
    assert split(line) == words


@pytest.mark.parametrize(("line", "quote"), [("at 'AT", "'"), ('at "AT', '"'), ("""a 'b"c""", "'")])
def test_open_quotation(line: str, quote: str) -> None:
    """A mark without its partner is an error that names it."""
    with pytest.raises(NotTerminated) as caught:
        split(line)
    assert caught.value.quote == quote


def test_too_many_words() -> None:
    """Twenty words are a command, twenty-one are none."""
    assert len(split("x " * MOST_WORDS)) == MOST_WORDS
    with pytest.raises(TooManyWords):
        split("x " * (MOST_WORDS + 1))


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1), max_size=20)
)
def test_what_another_shell_quotes(words: list[str]) -> None:
    """Plain words that POSIX would quote by single marks arrive as they were."""
    plain = [word.replace("'", "").replace("\\", "") or "x" for word in words]

    assert split(shlex.join(plain)) == plain
