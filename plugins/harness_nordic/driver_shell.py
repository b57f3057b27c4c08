"""AT through the ``at`` command of a Zephyr shell: how a command is typed and how its reply is read.

Sources: nrfcloud fact sheet, section 6.2; Zephyr documentation, "Shell" (quotes, escapes, messages).
"""

from __future__ import annotations

import re

from harness.console.zephyr_shell import is_complaint
from harness.errors import UsageError
from harness_nordic.driver_dialect import AtDialect, is_credential_write, without_content

# What the logging of Zephyr puts in between, ``[00:00:12.345,678] <inf> module: text``; what a boot says.
_LOGGED = re.compile(r"\[[0-9:.,]+\] <(?:err|wrn|inf|dbg)> .*|\*{3} .* \*{3}")
_LINE_END = re.compile(r"\r?\n")
# What a line editor takes for a key, and what the shell reads in quotes: octal and hexadecimal escapes.
_NOT_TYPABLE = re.compile(r"[^ -~]|\\[0x']")


class NotTypable(UsageError):
    """A command that cannot be typed to a shell as it is meant."""


def typed(command: str) -> str:
    r"""Return the line that has a shell run an AT command.

    The line breaks of a credential are typed as backslash and ``n``; the shell makes CR LF of them.

    :param command: the command, with ``AT``.
    :raises NotTypable: something in it would not arrive as it is.
    """
    text = command
    if is_credential_write(command):
        if r"\n" in command:
            raise NotTypable(_cannot(command, "a credential with a backslash before an n"))
        text = _LINE_END.sub(r"\\n", command)
    if _NOT_TYPABLE.search(text):
        raise NotTypable(_cannot(command, "control characters, characters beyond ASCII, or backslashes"))
    return "at '" + text.replace("'", r"\'") + "'"


def _cannot(command: str, what: str) -> str:
    return f"{without_content(command)} cannot be typed to a Zephyr shell: {what}"


def as_stored(content: str) -> str:
    """Return what a modem stores of a credential that was typed to a shell: its lines end with CR LF."""
    return _LINE_END.sub("\r\n", content)


class ShellRun:
    """The dialect of a command of the shell itself, which says nothing at its end.

    ``at AT`` is typed behind it; the modem's answer to that ends the reply.
    """

    _END = "at AT"

    def __init__(self, text: str) -> None:
        """Speak one command."""
        self._text = text
        self._at = AtDialect("AT")

    def encode(self, command: str) -> bytes:
        """Type two lines."""
        return f"{command}\r\n{self._END}\r\n".encode()

    def is_final(self, line: str) -> bool:
        """Tell whether a line is the modem's; a complaint of the shell is what its command says."""
        return self._at.is_final(line) and not is_complaint(line)

    def is_unsolicited(self, line: str) -> bool:
        """Tell whether a line came unasked, or is an echo: of two lines one may come late."""
        return (
            self._at.is_unsolicited(line)
            or _LOGGED.fullmatch(line) is not None
            or line in {self._text, self._END}
        )

    def is_echo(self, _line: str, _command: str) -> bool:
        """Leave echoes to :meth:`is_unsolicited`."""
        return False


class ShellDialect:
    """The dialect of one command. Of a long line the echo is broken where the terminal ends.

    :ivar line: what is typed.
    :ivar echoed: whether the shell has repeated all of it.
    """

    def __init__(self, command: str) -> None:
        """Speak one command.

        :raises NotTypable: a shell cannot be told it.
        """
        self.line = typed(command)
        self._at = AtDialect(command)
        self._echo = self.line

    @property
    def echoed(self) -> bool:
        """Whether the shell has repeated all that was typed."""
        return not self._echo

    def encode(self, _command: str) -> bytes:
        """End the line with CR and LF, which a shell takes for one line end."""
        return self.line.encode() + b"\r\n"

    def is_final(self, line: str) -> bool:
        """Tell whether a line ends a reply: the modem's or, where there is none, the shell's."""
        return self._at.is_final(line) or is_complaint(line)

    def is_unsolicited(self, line: str) -> bool:
        """Tell whether a line came unasked: from the modem or from the firmware's log."""
        return self._at.is_unsolicited(line) or _LOGGED.fullmatch(line) is not None

    def is_echo(self, line: str, _command: str) -> bool:
        """Tell whether a line is the echo, or the next part of it; somebody may have typed before."""
        if not self._echo:
            return False
        if self._echo.startswith(line):
            self._echo = self._echo[len(line) :]
        elif line.endswith(self._echo):
            self._echo = ""
        else:
            return False
        return True
