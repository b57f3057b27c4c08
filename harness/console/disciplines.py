"""Line disciplines: how a line is sent, and how the end of a reply is known, without a driver.

A driver knows more of its board's dialect; this is what people need who talk to a board by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.console.zephyr_shell import is_complaint

_RESULT = re.compile(r"OK|ERROR|NO CARRIER|\+CM[ES] ERROR: ?\S.*")


@dataclass(frozen=True, slots=True)
class Discipline:
    """One line discipline; also the :class:`~harness.console.dialect.Dialect` of who has no driver.

    :ivar terminator: what ends a line that is sent.
    :ivar final: the line that ends a reply; ``None`` when no line does.
    :ivar good: of these, the line that says that all went well.
    :ivar echoes: whether a line that repeats the command is no part of the reply.
    """

    terminator: bytes
    final: re.Pattern[str] | None = None
    good: str = ""
    echoes: bool = True

    def encode(self, command: str) -> bytes:
        """Return the bytes that send a line."""
        return command.encode() + self.terminator

    def is_final(self, line: str) -> bool:
        """Tell whether a line ends a reply; so does what a shell makes of it instead."""
        if self.final is None:
            return False
        return self.final.fullmatch(line.strip()) is not None or is_complaint(line)

    def is_unsolicited(self, line: str) -> bool:  # noqa: ARG002 - the contract's own
        """Tell that every line belongs to the reply: which does not, only a driver knows."""
        return False

    def is_echo(self, line: str, command: str) -> bool:
        """Tell whether a line is the echo of the command."""
        return self.echoes and line.strip() == command.strip()


RAW = Discipline(terminator=b"\r")
#: The console is a Zephyr shell, with an ``at`` command where there is a modem.
AT_SHELL = "at-shell"
_AT_HOST = Discipline(terminator=b"\r\n", final=_RESULT, good="OK")
_DISCIPLINES = {
    # ITU-T V.250, 5.7.1, and 3GPP TS 27.007, 9.2: what ends a reply. CR and LF suit every terminator chosen.
    "at-host": _AT_HOST,
    # Which of the two it is shows with the first line.
    "at-shell": _AT_HOST,
    "auto": _AT_HOST,
    "raw": RAW,
}


def discipline(name: str) -> Discipline:
    """Return the discipline that an endpoint names; one that only a driver knows is taken for raw."""
    return _DISCIPLINES.get(name, RAW)
