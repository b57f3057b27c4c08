"""The dialect of the board that the tests of the console talk to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AtDialect:
    """A small AT dialect."""

    def encode(self, command: str) -> bytes:
        return command.encode() + b"\r"

    def is_final(self, line: str) -> bool:
        return line in {"OK", "ERROR"}

    def is_unsolicited(self, line: str) -> bool:
        return line.startswith("+CEREG")

    def is_echo(self, line: str, command: str) -> bool:
        return line == command


AT = AtDialect()
