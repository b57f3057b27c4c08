"""A command line as a POSIX shell takes it apart: words with their quotes, lists, pipelines, redirections.

What a device's shell knows beyond that (substitution of commands, loops, functions, jobs) this one refuses by
name, so that nobody takes it for done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

_BLANK = " \t"
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+-]+")  # means the same inside of quotes and outside
_SPECIAL_IN_QUOTES = '$`"\\\n'
_NAME_START = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_OTHER_PARAMETERS = "*@#-$!0123456789"
_NAME = _NAME_START + "0123456789"
_OPERATORS = ("&&", "||", ";;", "|&", ">>", "<<", ">&", "<&", ">|", ";", "&", "|", "<", ">", "(", ")", "\n")
_REDIRECTIONS = (">>", ">", "<", ">&", ">|")
_STREAMS = "012"


class ShellSyntaxError(Exception):
    """The line is none that this shell takes; the text says what is wrong as the shell does."""


class Join(Enum):
    """When a pipeline runs, after the one before it."""

    ALWAYS = ";"
    IF_IT_SUCCEEDED = "&&"
    IF_IT_FAILED = "||"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word.

    :ivar text: what it says; of a parameter its name.
    :ivar quoted: it stands for itself: neither pattern nor split.
    :ivar parameter: it stands for a value.
    """

    text: str
    quoted: bool
    parameter: bool = False


Word = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Redirection:
    """Where a stream goes to or comes from.

    :ivar stream: 0, 1 or 2.
    :ivar operator: as it is written.
    :ivar target: the file, or of ``>&`` the other stream.
    """

    stream: int
    operator: str
    target: Word


@dataclass(slots=True)
class Command:
    """A simple command."""

    words: list[Word] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)


@dataclass(slots=True)
class Pipeline:
    """Commands, each reading what the one before it writes.

    :ivar negated: its status is turned round.
    """

    join: Join
    commands: list[Command] = field(default_factory=list)
    negated: bool = False


@dataclass(frozen=True, slots=True)
class _Operator:
    """An operator; of a redirection the stream that a number before it names."""

    text: str
    stream: int | None = None


def parse(line: str) -> list[Pipeline]:
    """Take a command line apart.

    :raises ShellSyntaxError: a quote is open, an operator is where none can be, or the shell does not know
        what is asked.
    """
    pipelines: list[Pipeline] = []
    pipeline = Pipeline(Join.ALWAYS)
    command = Command()
    tokens = _tokens(line)
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if not isinstance(token, _Operator):
            _take_word(token, pipeline, command)
        elif token.text in _REDIRECTIONS:
            command.redirections.append(_redirection(token, tokens[position : position + 1]))
            position += 1
        elif token.text == "|":
            _finish(pipeline, command, token.text)
            command = Command()
        elif token.text != "\n" or not _is_empty(command):
            join = _join_of(token.text)
            _finish(pipeline, command, token.text)
            pipelines.append(pipeline)
            pipeline, command = Pipeline(join), Command()
    if _is_empty(command) and (pipeline.commands or pipeline.negated or pipeline.join is not Join.ALWAYS):
        raise ShellSyntaxError("syntax error: unexpected end of file")
    if not _is_empty(command):
        _finish(pipeline, command, "newline")
        pipelines.append(pipeline)
    return pipelines


def _take_word(word: Word, pipeline: Pipeline, command: Command) -> None:
    if word == (Part("!", quoted=False),) and _is_empty(command) and not pipeline.commands:
        pipeline.negated = not pipeline.negated
    else:
        command.words.append(word)


def _redirection(operator: _Operator, following: list[Word | _Operator]) -> Redirection:
    if not following:
        raise _unexpected("newline")
    target = following[0]
    if isinstance(target, _Operator):
        raise _unexpected(target.text)
    usual = 0 if operator.text == "<" else 1
    return Redirection(usual if operator.stream is None else operator.stream, operator.text, target)


def _join_of(operator: str) -> Join:
    """Return how what follows an operator is joined to what is before it."""
    if operator == "\n":
        return Join.ALWAYS
    if operator == "&":
        raise ShellSyntaxError("syntax error: there are no background jobs here")
    try:
        return Join(operator)
    except ValueError:
        raise _unexpected(operator) from None


def _finish(pipeline: Pipeline, command: Command, operator: str) -> None:
    if _is_empty(command):
        raise _unexpected(operator)
    pipeline.commands.append(command)


def _is_empty(command: Command) -> bool:
    return not command.words and not command.redirections


def _unexpected(operator: str) -> ShellSyntaxError:
    shown = "newline" if operator == "\n" else f'"{operator}"' if operator != "newline" else operator
    return ShellSyntaxError(f"syntax error: unexpected {shown}")


def _tokens(line: str) -> list[Word | _Operator]:
    tokens: list[Word | _Operator] = []
    position = 0
    while position < len(line):
        character = line[position]
        stream: int | None = None
        if character in _STREAMS and line[position + 1 : position + 2] in ("<", ">"):
            stream, position = int(character), position + 1
        if character in _BLANK:
            position += 1
        elif line.startswith("\\\n", position):
            position += 2
        elif character == "#":
            end = line.find("\n", position)
            position = len(line) if end < 0 else end
        else:
            operator = next((each for each in _OPERATORS if line.startswith(each, position)), None)
            if operator is None:
                word, position = _Reader(line, position).read()
                tokens.append(word)
            else:
                tokens.append(_Operator(operator, stream))
                position += len(operator)
    return tokens


class _Reader:
    """Reads one word."""

    def __init__(self, line: str, position: int) -> None:
        self._line = line
        self._at = position
        self._parts: list[Part] = []

    def read(self) -> tuple[Word, int]:
        """Return the word and where it ends."""
        while self._at < len(self._line):
            plain = _PLAIN.match(self._line, self._at)
            if plain is not None:
                self._add(plain[0], quoted=False)
                self._at = plain.end()
                continue
            character = self._line[self._at]
            if character in _BLANK or any(self._line.startswith(each, self._at) for each in _OPERATORS):
                break
            self._step(character)
        return tuple(self._parts), self._at

    def _step(self, character: str) -> None:
        if character == "\\":
            following = self._line[self._at + 1 : self._at + 2]
            self._at += 2
            if following != "\n":
                self._add(following or "\\", quoted=True)
        elif character == "'":
            end = self._line.find("'", self._at + 1)
            if end < 0:
                raise ShellSyntaxError("syntax error: unterminated quoted string")
            self._add(self._line[self._at + 1 : end], quoted=True)
            self._at = end + 1
        elif character == '"':
            self._at += 1
            self._double_quoted()
        elif character == "$":
            self._parameter(quoted=False)
        elif character == "`":
            raise ShellSyntaxError("syntax error: there is no command substitution here")
        else:
            self._add(character, quoted=False)
            self._at += 1

    def _double_quoted(self) -> None:
        self._add("", quoted=True)
        while self._at < len(self._line):
            plain = _PLAIN.match(self._line, self._at)
            if plain is not None:
                self._add(plain[0], quoted=True)
                self._at = plain.end()
                continue
            character = self._line[self._at]
            if character == '"':
                self._at += 1
                return
            if character == "\\" and self._line[self._at + 1 : self._at + 2] in tuple(_SPECIAL_IN_QUOTES):
                if self._line[self._at + 1] != "\n":
                    self._add(self._line[self._at + 1], quoted=True)
                self._at += 2
            elif character == "$":
                self._parameter(quoted=True)
            elif character == "`":
                raise ShellSyntaxError("syntax error: there is no command substitution here")
            else:
                self._add(character, quoted=True)
                self._at += 1
        raise ShellSyntaxError("syntax error: unterminated quoted string")

    def _parameter(self, *, quoted: bool) -> None:
        line, start = self._line, self._at + 1
        following = line[start : start + 1]
        if following == "(":
            raise ShellSyntaxError("syntax error: there is no command substitution here")
        if following == "{":
            end = line.find("}", start)
            name = line[start + 1 : end] if end > 0 else ""
            if name != "?" and (not name or name[0] not in _NAME_START or set(name) - set(_NAME)):
                raise ShellSyntaxError("syntax error: bad substitution")
            self._at = end + 1
        elif following == "?":
            name, self._at = "?", start + 1
        elif following and following in _NAME_START:
            end = start
            while end < len(line) and line[end] in _NAME:
                end += 1
            name, self._at = line[start:end], end
        elif following and following in _OTHER_PARAMETERS:
            raise ShellSyntaxError("syntax error: bad substitution")
        else:
            self._add("$", quoted=quoted)
            self._at = start
            return
        self._parts.append(Part(name, quoted, parameter=True))

    def _add(self, text: str, *, quoted: bool) -> None:
        last = self._parts[-1] if self._parts else None
        if last is not None and not last.parameter and last.quoted == quoted:
            self._parts[-1] = Part(last.text + text, quoted)
        else:
            self._parts.append(Part(text, quoted))
