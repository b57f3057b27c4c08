"""``test`` and ``[``: what a shell asks of files, texts and numbers."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from harness_pelion.virtual.calling import Call, ProgramFailed
from harness_pelion.virtual.filesystem import Directory, File

if TYPE_CHECKING:
    from collections.abc import Callable

_WRONG_USE = 2
_CLOSING = "]"

_TEXTS: dict[str, Callable[[str, str], bool]] = {"=": operator.eq, "==": operator.eq, "!=": operator.ne}
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}
_OF_FILES = frozenset({"-e", "-f", "-d", "-s", "-r", "-w", "-x"})


def test(call: Call) -> None:
    """Be ``test``: exit code 0 when it is so, 1 when not, 2 when it is no question."""
    call.status = 0 if _judge(call, list(call.arguments)) else 1


def bracket(call: Call) -> None:
    """Be ``[``."""
    if list(call.arguments[-1:]) != [_CLOSING]:
        raise ProgramFailed("missing ]", _WRONG_USE)
    call.status = 0 if _judge(call, list(call.arguments[:-1])) else 1


def _judge(call: Call, words: list[str]) -> bool:
    answer: bool
    match words:
        case [] | [_]:
            answer = bool(words and words[0])
        case [left, ("=" | "==" | "!=") as sign, right]:
            answer = _TEXTS[sign](left, right)
        case [left, sign, right] if sign in _NUMBERS:
            answer = _NUMBERS[sign](_number(left), _number(right))
        case ["!", *rest]:
            answer = not _judge(call, rest)
        case [("-n" | "-z") as sign, text]:
            answer = bool(text) is (sign == "-n")
        case [sign, name] if sign in _OF_FILES:
            answer = _fits(call.filesystem.find(call.path(name)) if name else None, sign)
        case [word, _] | [_, word, _]:
            raise ProgramFailed(f"{word}: unknown operand", _WRONG_USE)
        case _:
            raise ProgramFailed("too many arguments", _WRONG_USE)
    return answer


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ProgramFailed(f"{text}: bad number", _WRONG_USE) from None


def _fits(entry: File | Directory | None, sign: str) -> bool:
    if entry is None:
        return False
    if sign == "-d":
        return isinstance(entry, Directory)
    if sign == "-f":
        return isinstance(entry, File)
    if sign == "-s":
        return isinstance(entry, Directory) or bool(entry.data)
    return sign != "-x" or bool(entry.mode & 0o111)


PROGRAMS = {"test": test, "[": bracket}
