"""What a shell makes of a word before a program sees it: values, fields, and the names that fit a pattern."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from harness_pelion.virtual.filesystem import ROOT, Filesystem, absolute

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.virtual.words import Word

_BLANK = " \t\n"
_PATTERN = frozenset("*?[")

#: A character of a field, and whether it stands for itself.
_Character = tuple[str, bool]


def expand(
    word: Word, value: Callable[[str], str], home: str, filesystem: Filesystem, directory: str
) -> list[str]:
    """Return what a word stands for: one text, none, or several.

    :param value: gives the value of a parameter, an empty text when it has none.
    :param home: what ``~`` stands for.
    :param directory: what patterns are relative to.
    """
    found: list[str] = []
    for each in _fields(word, value, home):
        matches = _matches(each, filesystem, directory) if _is_pattern(each) else []
        found += matches or ["".join(character for character, _quoted in each)]
    return found


def expand_one(word: Word, value: Callable[[str], str], home: str) -> str:
    """Return what a word stands for where only one text can stand, as behind a redirection."""
    return "".join("".join(character for character, _quoted in each) for each in _fields(word, value, home))


def _fields(word: Word, value: Callable[[str], str], home: str) -> list[list[_Character]]:
    fields: list[list[_Character]] = []
    current: list[_Character] | None = None
    for number, part in enumerate(word):
        text = value(part.text) if part.parameter else part.text
        if number == 0 and not part.quoted and not part.parameter and text.split("/", 1)[0] == "~":
            current = [(each, True) for each in home]
            text = text[1:]
        if part.quoted or not part.parameter:
            current = [*(current or []), *((each, part.quoted) for each in text)]
            continue
        for each in text:
            if each not in _BLANK:
                current = [*(current or []), (each, False)]
            elif current is not None:
                fields.append(current)
                current = None
    return fields if current is None else [*fields, current]


def _is_pattern(characters: list[_Character]) -> bool:
    return any(not quoted and character in _PATTERN for character, quoted in characters)


def _matches(characters: list[_Character], filesystem: Filesystem, directory: str) -> list[str]:
    """Return the paths that fit a pattern, in their order."""
    components: list[list[_Character]] = [[]]
    for character, quoted in characters:
        if character == "/":
            components.append([])
        else:
            components[-1].append((character, quoted))
    found = [""]
    if not components[0]:
        found, components = [ROOT], components[1:]
    for number, component in enumerate(components):
        is_last = number == len(components) - 1
        found = [
            match
            for before in found
            for match in _below(before, component, filesystem, directory, is_last=is_last)
        ]
    return sorted(found)


def _below(
    before: str, component: list[_Character], filesystem: Filesystem, directory: str, *, is_last: bool
) -> list[str]:
    text = "".join(character for character, _quoted in component)
    where = absolute(before or ".", directory)
    if not filesystem.is_directory(where):
        return []
    if not text:
        return [before if before.endswith("/") or not is_last else f"{before}/"]
    if not _is_pattern(component):
        path = posixpath.join(before, text)
        return [path] if filesystem.find(absolute(path, directory)) is not None else []
    pattern = _compile(component)
    hidden = text.startswith(".")
    return [
        posixpath.join(before, name)
        for name in (".", "..", *filesystem.names(where))
        if (hidden or not name.startswith(".")) and pattern.fullmatch(name)
    ]


def _compile(component: list[_Character]) -> re.Pattern[str]:
    pattern, position = "", 0
    while position < len(component):
        character, quoted = component[position]
        position += 1
        if quoted or character not in _PATTERN:
            pattern += re.escape(character)
        elif character == "*":
            pattern += ".*"
        elif character == "?":
            pattern += "."
        else:
            one_of, position = _one_of(component, position)
            pattern += one_of
    return re.compile(pattern, re.DOTALL)


def _one_of(component: list[_Character], position: int) -> tuple[str, int]:
    """Return the form of ``[...]`` that begins before a position, and where it ends; else a plain bracket."""
    start = position
    negated = component[start : start + 1] in ([("!", False)], [("^", False)])
    first = start + negated
    end = next(
        (at for at in range(first + 1, len(component)) if component[at] == ("]", False)),
        None,
    )
    if end is None:
        return re.escape("["), position
    inner = "".join(
        "-" if each == ("-", False) and first < at < end - 1 else re.escape(each[0])
        for at, each in enumerate(component[first:end], first)
    )
    try:
        re.compile(f"[{inner}]")
    except re.error:
        return re.escape("["), position
    return f"[{'^' if negated else ''}{inner}]", end + 1
