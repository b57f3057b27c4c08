"""Finding out in which discipline a board takes AT commands, and speaking it.

A board is an AT host or has a Zephyr shell with an ``at`` command, as its firmware was built; new firmware
may change that while we look on. Either one says at once that it cannot make anything of the other's lines,
and executes nothing of them: so the first command is the question, and no other is needed. Sources: nrfcloud
fact sheet, sections 6.1, 6.2 and 7.3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from harness.console.zephyr_shell import is_complaint, is_prompt, is_refusal, shown_text
from harness.errors import BoardFault, CommandRefused, ConsoleTimeout
from harness_nordic.driver_dialect import AtDialect, is_credential_write
from harness_nordic.driver_shell import ShellDialect, ShellRun

if TYPE_CHECKING:
    from harness.console import Console, Reply

#: How long an AT host or a shell may take to say which it is.
PROBE_SECONDS = 2.0
#: How often it is asked: a boot may swallow the first time.
PROBES = 3
_TAIL = 200
_PLAIN = "AT"


class LineDiscipline(StrEnum):
    """How AT commands get to the modem."""

    AT_HOST = "at-host"
    AT_SHELL = "at-shell"


class ShellComplained(BoardFault):
    """A shell could make nothing of what was to be an AT command; nothing was executed."""


class AtLine:
    """Speaks AT over a console, in the board's own discipline.

    :ivar discipline: the one that is spoken.
    """

    def __init__(self, guess: str) -> None:
        """Begin with a guess.

        :param guess: the discipline that the profile names; what is none is taken for an AT host.
        """
        self.discipline = (
            LineDiscipline.AT_SHELL if guess == LineDiscipline.AT_SHELL else LineDiscipline.AT_HOST
        )

    @property
    def is_shell(self) -> bool:
        """Whether a shell is spoken to."""
        return self.discipline is LineDiscipline.AT_SHELL

    def exchange(self, console: Console, command: str, *, timeout: float, reason: str, shown: str) -> Reply:
        """Have an AT command executed once, and return the reply.

        :param console: the board's.
        :param timeout: seconds to wait for the end of the reply.
        :param reason: what for.
        :param shown: the command as messages may show it.
        :raises ConsoleTimeout: no end of the reply in time.
        :raises BoardLost: the port went away.
        :raises ShellComplained: the board has a shell, which cannot execute it.
        :raises NotTypable: the board has a shell, which cannot be told it.
        """
        if self.is_shell:
            return self._through_shell(console, command, timeout=timeout, reason=reason, shown=shown)
        try:
            reply = console.command(command, AtDialect(command), timeout=timeout, reason=reason, shown=shown)
        except ConsoleTimeout:
            if not _shows_prompt(console):
                raise
        else:
            if not is_complaint(reply.final):
                return reply
        self._take_for(LineDiscipline.AT_SHELL, console)
        return self._through_shell(console, command, timeout=timeout, reason=reason, shown=shown)

    def _through_shell(
        self, console: Console, command: str, *, timeout: float, reason: str, shown: str
    ) -> Reply:
        console.show_lines(shown_text)
        dialect = ShellDialect(command)
        try:
            reply = console.command(command, dialect, timeout=timeout, reason=reason, shown=shown)
        except ConsoleTimeout as silence:
            if not is_credential_write(command):
                raise
            raise ConsoleTimeout(
                f"{console.name}: waited {timeout:g} s for the reply to {shown!r} ({reason}); how the console"
                " ends is not shown, for the shell repeats what is written"
            ) from silence.__cause__
        if is_complaint(reply.final):
            raise ShellComplained(
                f"{console.name}: its shell does not take {shown!r}, {len(dialect.line)} characters typed:"
                f" it says {reply.final.strip()!r}"
            )
        if dialect.echoed or reply.final.strip() != "ERROR":
            return reply
        # An AT host answers so, and echoes nothing; a shell that was told not to echo may have executed it.
        if self.find(console) is LineDiscipline.AT_SHELL:
            return reply
        return console.command(command, AtDialect(command), timeout=timeout, reason=reason, shown=shown)

    def run(self, console: Console, text: str, *, timeout: float, reason: str) -> list[str]:
        """Have the shell run a command of its own, and return the lines that it says.

        :param text: the command, as it is typed.
        :raises ConsoleTimeout: the shell did not come back in time.
        :raises BoardLost: the port went away.
        :raises CommandRefused: the shell has no such command.
        """
        reply = console.command(text, ShellRun(text), timeout=timeout, reason=reason)
        complaint = next((line for line in reply.lines if is_refusal(line)), None)
        if complaint is not None:
            raise CommandRefused(text, complaint.strip())
        return list(reply.lines)

    def find(self, console: Console) -> LineDiscipline:
        """Ask a board which discipline it speaks, by a command that does nothing.

        :raises ConsoleTimeout: it answers in neither.
        """
        for attempt in range(1, PROBES + 1):
            try:
                reply = console.command(
                    _PLAIN, AtDialect(_PLAIN), timeout=PROBE_SECONDS, reason="AT host or shell?"
                )
            except ConsoleTimeout:
                if _shows_prompt(console):
                    return self._take_for(LineDiscipline.AT_SHELL, console)
                if attempt == PROBES:
                    raise
            else:
                break
        if is_complaint(reply.final):
            return self._take_for(LineDiscipline.AT_SHELL, console)
        return self._take_for(LineDiscipline.AT_HOST, console)

    def _take_for(self, found: LineDiscipline, console: Console) -> LineDiscipline:
        self.discipline = found
        console.show_lines(shown_text if found is LineDiscipline.AT_SHELL else None)
        return found


def _shows_prompt(console: Console) -> bool:
    """Tell whether a console ends with the prompt of a shell."""
    last = console.tail(_TAIL).rsplit(b"\n", 1)[-1]
    return is_prompt(last.decode("utf-8", "backslashreplace"))
