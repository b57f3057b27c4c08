"""A Zephyr shell that exists on paper only: the bytes of section 6.2 of the nrfcloud fact sheet.

It shares nothing with the virtual board.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROMPT = b"\x1b[1;32muart:~$ \x1b[m"
RED, PLAIN = b"\x1b[1;31m", b"\x1b[m"


class PaperShell:
    """Answers typed lines; for :meth:`tests.console.conftest.PtyBoard.answer`.

    :ivar typed: the lines that were entered.
    :ivar modem: complete texts of the modem by AT command; ``None``: the firmware has no command ``at``.
    :ivar commands: what commands of the shell itself say.
    :ivar before: said before the next reply, for example what is logged while a line is typed.
    :ivar echo: whether it echoes.
    :ivar width: columns after which the echo goes on on the next line.
    :ivar left: what somebody has typed and not entered.
    :ivar speaks: ``False``: it is an AT host instead.
    """

    def __init__(self, modem: Mapping[str, str] | None, *, left: str = "") -> None:
        """Show a prompt.

        :param left: see above.
        """
        self.typed: list[str] = []
        self.modem = modem
        self.commands: dict[str, bytes] = {}
        self.before = b""
        self.echo = True
        self.width = 10_000
        self.speaks = True
        self.left = left

    def __call__(self, data: bytes) -> bytes:
        """Take a line."""
        line, self.left = self.left + data.decode().strip("\r\n"), ""
        self.typed.append(line)
        if not self.speaks:
            return b"\n" + (self.modem or {}).get(line, "ERROR\r\n").encode()
        said, self.before = self.before, b""
        return said + self._echoed(line) + self._executed(line) + PROMPT

    def _echoed(self, line: str) -> bytes:
        if not self.echo:
            return b"\r\n"
        shown = "uart:~$ " + line
        parts = [shown[at : at + self.width] for at in range(0, len(shown), self.width)]
        return "\r\n".join(parts)[len("uart:~$ ") :].encode() + b"\r\n"

    def _executed(self, line: str) -> bytes:
        if line in self.commands:
            return self.commands[line]
        argument = re.fullmatch(r"at (?:'(.*)'|(\S+))", line)
        if argument is not None and self.modem is not None:
            return self.modem.get(argument[1] or argument[2], "ERROR\r\n").encode() + b"\r\n"
        if line.startswith("at '") and not line.endswith("'"):
            return RED + b"not terminated: '\r\n" + PLAIN
        return RED + line.split(maxsplit=1)[0].encode() + b": command not found\r\n" + PLAIN if line else b""
