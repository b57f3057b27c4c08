"""A C file cut into words, numbers, texts and signs; comments and lines for the preprocessor are left out.

Of the preprocessor one thing is obeyed: what ``#if 0`` leaves out is left out. Every other branch is read,
since nobody here can say what is defined when a product is built.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: No number of such a file has more digits; more would cost time and be none anyway.
_MOST_DIGITS = 20
_MOST_OF_A_BYTE = 255

_PIECES = re.compile(
    r"""
    (?P<space>      [ \t\r\n\f\v]+                 )
  | (?P<bytes>      (?:0[xX][0-9a-fA-F]{1,2}[ ]*,\s*){8,} )
  | (?P<comment>    /\*.*?\*/ | //[^\n]*           )
  | (?P<unended>    /\*                            )
  | (?P<line>       \#[^\n]*                       )
  | (?P<text>       (?:u8)?"(?:[^"\\\n]|\\[^\n])*" )
  | (?P<character>  '(?:[^'\\\n]|\\[^\n])+'        )
  | (?P<word>       [A-Za-z_][A-Za-z_0-9]*         )
  | (?P<number>     [0-9][0-9A-Za-z_.]*            )
  | (?P<open>       ["']                           )
  | (?P<sign>       .                              )
    """,
    re.VERBOSE | re.DOTALL,
)
_BYTE = re.compile(r"0[xX]([0-9a-fA-F]{1,2})")
_NUMBER = re.compile(
    r"(?:0[xX](?P<hex>[0-9a-fA-F]+)|0(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))[uUlL]{0,3}"
)
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]+)|(?P<letter>.))|(?P<plain>[^\\]+)", re.DOTALL
)
_LETTERS = dict(zip("abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))
_CONTINUED = re.compile(r"\\\r?\n")
_CONDITION = re.compile(r"#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b(.*)", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|/[/*].*", re.DOTALL)
#: What a branch is behind one that was read for sure.
_PAST = "past"


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    NUMBER = auto()
    BYTES = auto()
    TEXT = auto()
    SIGN = auto()


class Token(NamedTuple):
    """A piece of a C file.

    :ivar text: a word, a number or a sign as it is written; nothing for a text, which may be a secret.
    :ivar line: number of the line where it begins, from 1.
    :ivar number: what a number or a character is.
    :ivar data: what a text holds; of ``BYTES`` several numbers, each with the comma behind it.
    """

    kind: Kind
    text: str
    line: int
    number: int = -1
    data: bytes = b""


class NotC(ValueError):
    """Something that C does not know.

    :ivar line: number of the line.
    :ivar expected: what would have been right.
    """

    def __init__(self, line: int, message: str, expected: str) -> None:
        """Say what is wrong, without the text at fault: it may be a secret."""
        super().__init__(f"line {line}: {message}")
        self.expected = expected


def tokens_of(text: str) -> Iterator[Token]:
    """Cut a C file into its tokens.

    :raises NotC: a comment, a text or a character does not end, or a number is none.
    """
    line, fresh_line, conditions = 1, True, _Conditions()
    for piece, continued in _pieces(text):
        kind, written = piece.lastgroup or "", piece.group()
        at, line = line, line + written.count("\n") + continued
        if kind in {"space", "comment"}:
            fresh_line = fresh_line or "\n" in written
        elif kind == "line" and fresh_line:
            conditions.obey(written)
        else:
            fresh_line = False
            if not conditions.left_out or kind == "unended":
                yield _token(kind, written, at)


class _Conditions:
    """Which lines ``#if 0`` leaves out: one entry for each ``#if`` that is open."""

    def __init__(self) -> None:
        self._open: list[str] = []  # what the condition is: "0", "1", past, or anything else

    @property
    def left_out(self) -> bool:
        return "0" in self._open or _PAST in self._open

    def obey(self, line: str) -> None:
        found = _CONDITION.match(line)
        if found is None:
            return
        word, condition = found[1], _COMMENT.sub(" ", found[2]).strip()
        if word == "if":
            self._open.append(condition)
        elif word in {"ifdef", "ifndef"}:
            self._open.append("")
        elif self._open and word == "endif":
            self._open.pop()
        elif self._open:
            before = self._open[-1]
            if before in {"1", _PAST}:
                self._open[-1] = _PAST
            else:
                self._open[-1] = condition if word == "elif" else ""


def _pieces(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Give the pieces of a text whose continued lines are joined, each with how many were joined in it."""
    joined: list[str] = []
    joints: list[int] = []
    end = length = 0
    for found in _CONTINUED.finditer(text):
        joined.append(text[end : found.start()])
        length += found.start() - end
        joints.append(length)
        end = found.end()
    joined.append(text[end:])
    passed = 0
    for piece in _PIECES.finditer("".join(joined)):
        before = passed
        while passed < len(joints) and joints[passed] < piece.end():
            passed += 1
        yield piece, passed - before


def _token(kind: str, written: str, line: int) -> Token:
    if kind == "word":
        return Token(Kind.WORD, written, line)
    if kind == "bytes":  # the most of a file: one token for many is read in a fraction of the time
        return Token(Kind.BYTES, "", line, data=bytes(int(each, 16) for each in _BYTE.findall(written)))
    if kind == "number":
        return Token(Kind.NUMBER, written, line, number=_number(written, line))
    if kind == "text":
        return Token(Kind.TEXT, "", line, data=_unescaped(written[written.index('"') + 1 : -1], line))
    if kind == "character":
        data = _unescaped(written[1:-1], line)
        if len(data) == 1:
            return Token(Kind.NUMBER, "", line, number=data[0])
        raise NotC(line, "more than one character", "one between ' and '")
    if kind == "unended":
        raise NotC(line, "a comment does not end", "'*/'")
    if kind == "open":
        raise NotC(line, "a text does not end on its line", f"another {written} on it")
    return Token(Kind.SIGN, written, line)


def _number(written: str, line: int) -> int:
    """Return a number as C writes it: decimal, hexadecimal or octal."""
    number = _read_number(written) if len(written) <= _MOST_DIGITS else None
    if number is None:
        raise NotC(line, "no whole number that C knows", "one like 12, 0x0c or 014")
    return number


@lru_cache(maxsize=1024)  # an array of bytes has few different ones
def _read_number(written: str) -> int | None:
    found = _NUMBER.fullmatch(written)
    for name, base in (("hex", 16), ("octal", 8), ("decimal", 10)):
        if found is not None and found[name] is not None:
            return int(found[name], base)
    return None


def _unescaped(written: str, line: int) -> bytes:
    """Return the bytes of what stands between quotation marks."""
    data = bytearray()
    for part in _ESCAPE.finditer(written):
        if part["plain"] is not None:
            data += _encoded(part["plain"], line)
            continue
        if part["letter"] is not None:
            number = _LETTERS.get(part["letter"], -1)
        else:
            number = int(part["octal"], 8) if part["octal"] is not None else int(part["hex"], 16)
        if not 0 <= number <= _MOST_OF_A_BYTE:
            raise NotC(line, "an escape that C does not know", r"one like \n or \x0a")
        data.append(number)
    return bytes(data)


def _encoded(plain: str, line: int) -> bytes:
    try:
        return plain.encode()
    except UnicodeEncodeError as error:
        raise NotC(line, "half a character", "text in UTF-8") from error
