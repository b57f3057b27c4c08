"""Request/response dialects: how a command is sent and how the end of its reply is known."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Dialect(Protocol):
    """What :meth:`harness.console.Console.command` must know of a dialect."""

    def encode(self, command: str) -> bytes:
        """Return the bytes that send a command, its terminator included."""

    def is_final(self, line: str) -> bool:
        """Tell whether a line ends a reply."""

    def is_unsolicited(self, line: str) -> bool:
        """Tell whether a line comes unasked, also in the middle of a reply."""

    def is_echo(self, line: str, command: str) -> bool:
        """Tell whether a line is the board's echo of the command."""


class Reply(NamedTuple):
    """What a board answered to a command.

    :ivar command: the command, as messages may show it.
    :ivar lines: data lines, without line ends, empty lines, echo and unsolicited lines.
    :ivar final: the line that ended the reply.
    :ivar seconds: from before the command was written to the end of the reply.
    """

    command: str
    lines: tuple[str, ...]
    final: str
    seconds: float
