"""Reading an AT command: its name, its form and its arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from harness_nordic.enums import CmeError
from harness_nordic.virtual.errors import AtError, CmeRefusal

_COMMAND = re.compile(r"AT([+%#][A-Z0-9]+)?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_BLANKS = " \t"


class Form(Enum):
    """The form of a command."""

    EXECUTE = ""
    READ = "?"
    TEST = "=?"
    SET = "="


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; ``quoted`` ones are text, the others numbers."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class AtCommand:
    """An AT command that was read.

    :ivar name: upper case, with its first sign; empty for a bare ``AT``.
    :ivar form: its form.
    :ivar arguments: of a set command; ``None`` where one was left out.
    """

    name: str
    form: Form
    arguments: tuple[Argument | None, ...] = ()

    def has(self, index: int) -> bool:
        """Tell whether an argument was given."""
        return index < len(self.arguments) and self.arguments[index] is not None

    def number(self, index: int, *, default: int | None = None, high: int = 0x7FFF_FFFF) -> int:
        """Return a number.

        :raises CmeRefusal: 51 if it is missing without a default, 50 if it is none or too high.
        """
        argument = self._argument(index)
        if argument is None:
            if default is None:
                raise CmeRefusal(CmeError.MISSING_PARAMETERS)
            return default
        if argument.quoted or not _NUMBER.fullmatch(argument.text) or int(argument.text) > high:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        return int(argument.text)

    def text(self, index: int, *, default: str | None = None) -> str:
        """Return a quoted text.

        :raises CmeRefusal: 51 if it is missing without a default, 50 if it is not quoted.
        """
        argument = self._argument(index)
        if argument is None:
            if default is None:
                raise CmeRefusal(CmeError.MISSING_PARAMETERS)
            return default
        if not argument.quoted:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        return argument.text

    def at_most(self, count: int) -> None:
        """Refuse more arguments than a command knows.

        :raises CmeRefusal: 50.
        """
        if len(self.arguments) > count:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)

    def _argument(self, index: int) -> Argument | None:
        return self.arguments[index] if index < len(self.arguments) else None


def parse(line: str) -> AtCommand:
    """Read a command.

    :raises AtError: it is none, or its quotes do not match.
    """
    match = _COMMAND.match(line)
    if match is None:
        raise AtError
    name = (match[1] or "").upper()
    rest = line[match.end() :].rstrip(_BLANKS)
    if rest in {"", "?", "=?"}:
        return AtCommand(name, Form(rest))
    if not rest.startswith("=") or not name:
        raise AtError
    return AtCommand(name, Form.SET, _arguments(rest[1:]))


def _arguments(text: str) -> tuple[Argument | None, ...]:
    """Split at commas outside quotes; blanks around an argument are no part of it."""
    arguments: list[Argument | None] = []
    position = 0
    while True:
        while position < len(text) and text[position] in _BLANKS:
            position += 1
        if text[position : position + 1] == '"':
            end = text.find('"', position + 1)
            if end < 0:
                raise AtError
            arguments.append(Argument(text[position + 1 : end], quoted=True))
            comma = text.find(",", end)
            between = text[end + 1 :] if comma < 0 else text[end + 1 : comma]
            if between.strip(_BLANKS):
                raise AtError
        else:
            comma = text.find(",", position)
            bare = (text[position:] if comma < 0 else text[position:comma]).rstrip(_BLANKS)
            if '"' in bare:
                raise AtError
            arguments.append(Argument(bare, quoted=False) if bare else None)
        if comma < 0:
            return tuple(arguments)
        position = comma + 1
