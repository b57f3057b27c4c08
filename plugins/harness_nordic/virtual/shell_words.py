"""Taking a command line of a Zephyr shell apart, by the rules of its documentation ("Shell", "Parsing")."""

from __future__ import annotations

import re

#: Most words of a command (build option ``CONFIG_SHELL_ARGC_MAX``, its default).
MOST_WORDS = 20

_BLANKS = " \t\v\f\r\n"
_QUOTES = "\"'"
_OCTAL, _HEX = re.compile(r"0([0-7]{1,3})"), re.compile(r"x([0-9A-Fa-f]{1,2})")


class NotTerminated(Exception):
    """A quotation mark has no partner.

    :ivar quote: the mark.
    """

    def __init__(self, quote: str) -> None:
        """Keep the mark."""
        self.quote = quote
        super().__init__(quote)


class TooManyWords(Exception):
    """The command has more words than the shell takes."""


def split(line: str) -> list[str]:
    r"""Split at blanks; quotation marks hold words together, a backslash takes a mark its meaning.

    In quotation marks a backslash escapes the mark itself and begins an octal (``\0101``) or hexadecimal
    (``\x41``) number of a character; before anything else it stays, so the two characters ``\n`` stay two.

    :raises NotTerminated: a quotation mark is left open.
    :raises TooManyWords: there are more than :data:`MOST_WORDS`.
    """
    words: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at] in _BLANKS:
            at += 1
        if at == len(line):
            return words
        if len(words) == MOST_WORDS:
            raise TooManyWords
        word, at = _word(line, at)
        words.append(word)


def _word(line: str, at: int) -> tuple[str, int]:
    """Read one word, and return it with the place behind it."""
    taken: list[str] = []
    quote = ""
    while at < len(line) and (quote or line[at] not in _BLANKS):
        character = line[at]
        at += 1
        if not quote and character in _QUOTES:
            quote = character
        elif character == quote:
            quote = ""
        elif character != "\\":
            taken.append(character)
        else:
            text, at = _escaped(line, at, quote)
            taken.append(text)
    if quote:
        raise NotTerminated(quote)
    return "".join(taken), at


def _escaped(line: str, at: int, quote: str) -> tuple[str, int]:
    """Read what stands behind a backslash."""
    if not quote or line[at : at + 1] == quote:
        return line[at : at + 1], min(at + 1, len(line))
    for expression, base in ((_OCTAL, 8), (_HEX, 16)):
        number = expression.match(line, at)
        if number is not None:
            return chr(int(number[1], base) & 0xFF), number.end()
    return "\\", at
