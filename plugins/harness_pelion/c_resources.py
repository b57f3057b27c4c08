"""Constants read out of a C file of credentials: a developer certificate's or manifest-tool's.

The files are data to us: nothing is compiled, executed or expanded. What is read is what such files are made
of (pelion fact sheet, sections 3 and 5): definitions of byte arrays, of texts and of numbers, whatever their
layout. The public client reads less of C (section 1.5): it loses a letter ``r`` at the end of a text, takes a
text with a comma for numbers and an array of one byte for a text. This reader does as a C compiler does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness_pelion.c_tokens import Kind, NotC, Token, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What the names of the variables begin with that anybody wants to know.
PREFIXES = ("MBED_CLOUD_DEV_", "arm_uc_")

#: Such files have a few thousand bytes; what is larger is another file.
LARGEST = 256 * 1024

_MOST_OF_A_BYTE = 255
_OPENING, _CLOSING = "([{", ")]}"


def parse(text: str | bytes, file: str | Path = "C file") -> dict[str, bytes]:
    """Return the values of the constants in a C file, by their names and in their order.

    A byte array gives its bytes, a text its characters in UTF-8 without the zero at its end, a number its
    decimal digits as text: so the device's utility takes it (pelion fact sheet, sections 1.5 and 2.1).
    Definitions whose value is a ``sizeof`` are left out, as are variables of other names.

    :param text: the file's content.
    :param file: what the file is called in messages.
    :raises UsageError: it is no such file; the message names file, line, variable and what was expected,
        never a value, which may be a key.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError("is no text", file=file, expected="a C file in UTF-8") from error
    if len(text) > LARGEST:
        raise UsageError("is too large", file=file, expected=f"a C file of at most {LARGEST} characters")
    found: dict[str, bytes] = {}
    for statement in _statements(text, file):
        definition = _Definition.of(statement, file)
        if definition is None:
            continue
        if definition.name in found:
            raise definition.wrong(definition.at, "is defined a second time", "each variable once")
        found[definition.name] = definition.value()
    return found


class _Definition:
    """One definition of a variable that is wanted: the tokens on both sides of its ``=``."""

    def __init__(
        self, name: Token, dimension: list[Token] | None, value: list[Token], file: str | Path
    ) -> None:
        self.at = name
        self.name = name.text
        self._dimension = dimension
        self._value = value
        self._file = file

    @classmethod
    def of(cls, statement: list[Token], file: str | Path) -> _Definition | None:
        """Return the definition that a statement is, when it is one of a variable that is wanted."""
        sign = next((at for at, token in enumerate(statement) if token.text == "="), None)
        if sign is None:
            return None
        left, value = statement[:sign], statement[sign + 1 :]
        dimension: list[Token] | None = None
        if left and left[-1].text == "]":
            opening = max((at for at, token in enumerate(left) if token.text == "["), default=0)
            left, dimension = left[:opening], left[opening + 1 : -1]
        name = left[-1] if left else statement[sign]
        if name.kind is not Kind.WORD or not name.text.startswith(PREFIXES):
            return None
        if any(token.text == "sizeof" for token in value):
            return None
        return cls(name, dimension, value, file)

    def value(self) -> bytes:
        """Return what the variable holds."""
        if not self._value:
            raise self.wrong(self.at, "has no value", "numbers in braces, a text or a number")
        first = self._value[0]
        if first.text == "{" and first.kind is Kind.SIGN:
            if self._dimension is None:
                raise self.wrong(first, "is no array but has braces", "a text or a number")
            return self._sized(self._braces(), padded=False)
        if first.kind is Kind.TEXT:
            return self._sized(self._texts(self._value), padded=True)
        if first.kind is Kind.NUMBER and len(self._value) == 1:
            if self._dimension is not None:
                raise self.wrong(first, "is an array but has one number", "numbers in braces")
            return str(first.number).encode()
        raise self.wrong(first, "has a value of another kind", "numbers in braces, a text or a number")

    def _braces(self) -> bytes:
        last = self._value[-1]
        if last.text != "}" or last.kind is not Kind.SIGN:
            raise self.wrong(last, "goes on behind its braces", "';' behind '}'")
        inside = self._value[1:-1]
        if inside and inside[0].kind is Kind.TEXT:
            return self._texts(inside)
        content, after_comma = bytearray(), True
        for token in inside:
            if not after_comma:
                if token.text != "," or token.kind is not Kind.SIGN:
                    raise self.wrong(token, f"has no comma behind its number {len(content)}", "','")
                after_comma = True
            elif token.kind is Kind.BYTES:
                content += token.data
            elif token.kind is not Kind.NUMBER or token.number > _MOST_OF_A_BYTE:
                raise self.wrong(
                    token, f"has no byte as its number {len(content) + 1}", "a number from 0 to 255"
                )
            else:
                content.append(token.number)
                after_comma = False
        return bytes(content)

    def _texts(self, tokens: list[Token]) -> bytes:
        """Return one or more texts side by side, which are one text in C."""
        for token in tokens:
            if token.kind is not Kind.TEXT:
                raise self.wrong(token, "goes on behind its text", "';'")
        return b"".join(token.data for token in tokens)

    def _sized(self, content: bytes, *, padded: bool) -> bytes:
        """Compare a value with the size that the file itself states.

        :param padded: it may be shorter, as a text in a larger buffer is.
        """
        if not self._dimension:
            return content
        size = self._dimension[0]
        if len(self._dimension) > 1 or size.kind is not Kind.NUMBER:
            return content  # a constant or a sum of some: nobody here can say what it is
        if len(content) > size.number or (len(content) < size.number and not padded):
            raise self.wrong(
                size, f"holds {len(content)} bytes", f"the {size.number} that its brackets state"
            )
        return content

    def wrong(self, token: Token, message: str, expected: str) -> UsageError:
        return UsageError(f"line {token.line}: {message}", file=self._file, key=self.name, expected=expected)


def _statements(text: str, file: str | Path) -> Iterator[list[Token]]:
    """Cut a file into its statements: at every semicolon that no bracket holds.

    ``extern "C" {`` opens a block of declarations, not a value; so does every brace that no ``=`` precedes.
    """
    statement: list[Token] = []
    brackets: list[Token] = []
    assigned = False
    try:
        for token in tokens_of(text):
            sign = token.text if token.kind is Kind.SIGN else ""
            if sign in ("{", "}") and not assigned and not brackets:
                statement = []
                continue
            if sign == ";" and not brackets:
                yield statement
                statement, assigned = [], False
                continue
            if sign:
                _follow(brackets, token)
            assigned = assigned or sign == "="
            statement.append(token)
        _end(brackets or (statement if assigned else []))
    except NotC as error:
        raise UsageError(str(error), file=file, key=_name_in(statement), expected=error.expected) from error


def _follow(brackets: list[Token], token: Token) -> None:
    """Note a bracket that opens or closes."""
    if token.text in _OPENING:
        brackets.append(token)
    elif token.text in _CLOSING:
        if not brackets or _OPENING.index(brackets[-1].text) != _CLOSING.index(token.text):
            raise NotC(token.line, f"{token.text!r} closes nothing", "a bracket for each that was opened")
        brackets.pop()


def _end(unended: list[Token]) -> None:
    """See that nothing is open where the file ends."""
    if unended:
        raise NotC(unended[0].line, "the file ends within what begins here", "'};' or ';' at its end")


def _name_in(statement: list[Token]) -> str | None:
    """Return which variable a broken statement is about."""
    named = (token.text for token in statement if token.kind is Kind.WORD and token.text.startswith(PREFIXES))
    return next(named, None)
