"""The agent on a serial console: the dialect, files in pieces, and what comes unasked.

A line ended by CR is a command, at most 1024 bytes long; nothing is echoed. The reply is any number of lines
``key: value`` and then ``OK`` or ``ERROR <n> <NAME>: <text>``. Lines that begin with ``+`` come unasked.
Source: guardian fact sheet, section 10.6; the words are our own.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from harness.errors import BoardFault, BoardLost, UsageError
from harness.evidence import step
from harness_guardian.driver_link import COMMAND_SECONDS, LARGEST_FILE
from harness_guardian.driver_models import AgentRefused, BoardRestarted, Outcome, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.console import Console

#: The longest line that the agent takes, its end included.
LONGEST_LINE = 1024
#: Bytes of a file in one command: in base64 and with the words around it they fit a line.
PIECE = 600

BOOTED = "+BOOT:"
ENDED = "+PROVISION:"
_ERROR = re.compile(r"ERROR ([0-9]{1,3}) ([A-Z_]+)(?:: ?(.*))?")
_OUTCOME = re.compile(r"\+PROVISION: ([0-9]{1,3}) ([A-Z_]+) ?(.*)")
_SHOWN = 60
_BARE = re.compile(r"[!#-~]+")


class AgentDialect:
    """The agent's dialect, for :meth:`harness.console.Console.command`."""

    def encode(self, command: str) -> bytes:
        """End the command with CR."""
        return command.encode() + b"\r"

    def is_final(self, line: str) -> bool:
        """Tell whether a line ends a reply."""
        return line == "OK" or _ERROR.fullmatch(line) is not None

    def is_unsolicited(self, line: str) -> bool:
        """Tell whether a line comes unasked."""
        return line.startswith("+")

    def is_echo(self, line: str, command: str) -> bool:  # noqa: ARG002 - the contract's own
        """Tell that the agent echoes nothing."""
        return False


class ConsoleLink:
    """Speaks with the agent over a console."""

    def __init__(self, console: Callable[[], Console], board: str) -> None:
        """Speak over a console, which is opened with the first command.

        :param console: gives the console; another one after the board was closed.
        :param board: id of the board, for messages.
        """
        self._console = console
        self._board = board

    def run(
        self, words: Sequence[str], *, timeout: float = COMMAND_SECONDS, shown: str | None = None
    ) -> Reply:
        """Have the agent execute a command; see :class:`~harness_guardian.driver_link.AgentLink`."""
        line = " ".join(quoted(word) for word in words)
        if len(line.encode()) >= LONGEST_LINE:
            raise UsageError(
                "the agent takes no line of this length",
                key=words[0],
                value=len(line.encode()),
                expected=f"at most {LONGEST_LINE - 1} bytes",
            )
        named = shown or line
        with step(named):  # nothing is echoed: only here a report shows it
            reply = self._console().command(
                line, AgentDialect(), timeout=timeout, reason=f"the agent of {self._board}", shown=named
            )
        refusal = _ERROR.fullmatch(reply.final)
        if refusal is not None:
            raise AgentRefused(named, int(refusal[1]), refusal[2], refusal[3] or "")
        return Reply(reply.lines)

    def put(self, name: str, content: bytes) -> None:
        """Write a file in pieces; the first one empties it."""
        for start in range(0, max(1, len(content)), PIECE):
            piece = base64.b64encode(content[start : start + PIECE]).decode()
            words = ["put", name, str(start), *([piece] if piece else [])]
            self.run(words, shown=f"put {name} {start} ...")

    def get(self, name: str) -> bytes:
        """Read a file in pieces.

        :raises BoardFault: the pieces make no file.
        """
        content = b""
        while True:
            fields = self.run(["get", name, str(len(content))]).fields()
            try:
                size = int(fields["size"])
                piece = base64.b64decode(fields.get("data", ""), validate=True)
            except (KeyError, ValueError, binascii.Error) as error:
                raise self._nonsense(f"no piece of file {name}", fields) from error
            content += piece
            if not 0 <= size <= LARGEST_FILE or len(content) > size or (not piece and len(content) < size):
                raise self._nonsense(f"file {name} has {len(content)} bytes of {size}", {})
            if len(content) == size:
                return content

    def begin(self, words: Sequence[str]) -> ConsoleRun:
        """Begin a run; what earlier ones have said, and of what earlier boots, is not about this one."""
        console = self._console()
        console.forget_unsolicited(_concerns_run)
        self.run(words)
        return ConsoleRun(console, self._board, " ".join(words))

    def wait_until_back(self) -> None:
        """Wait for nothing: the console finds its board again, and the boot itself is seen on it."""

    def _nonsense(self, what: str, said: object) -> BoardFault:
        return BoardFault(f"{self._board}: {what}" + (f": {str(said)[:_SHOWN]}" if said else ""))


class ConsoleRun:
    """Provisioning under way on a board whose console says how it ends."""

    def __init__(self, console: Console, board: str, command: str) -> None:
        """Listen to a console."""
        self._console = console
        self._board = board
        self._command = command
        self._outcome: Outcome | None = None

    def wait(self, timeout: float) -> Outcome:
        """Wait until it ends; the end is told as often as it is asked for."""
        if self._outcome is None:
            try:
                said = self._console.wait_unsolicited(
                    _concerns_run, timeout=timeout, reason=f"the end of {self._command!r}"
                )
            except BoardLost as error:
                raise BoardLost(f"{error}; {self._command!r} was under way") from error
            if said.startswith(BOOTED):
                raise BoardRestarted(f"{self._board}: booted in the middle of {self._command!r}")
            match = _OUTCOME.fullmatch(said)
            if match is None:
                raise BoardFault(f"{self._board}: no end of provisioning: {said[:_SHOWN]!r}")
            self._outcome = Outcome(int(match[1]), match[2], match[3])
        return self._outcome

    def abandon(self) -> None:
        """Listen no more."""


def _concerns_run(line: str) -> bool:
    return line.startswith((ENDED, BOOTED))


def quoted(word: str) -> str:
    """Return a word as it is typed: between quotes where it is none of ASCII; two quotes stand for one.

    :raises UsageError: it cannot be typed in a line.
    """
    if any(ord(character) < ord(" ") or character == "\x7f" for character in word):
        raise UsageError("cannot be typed", key="word", value=word, expected="no control character")
    if word and _BARE.fullmatch(word):
        return word
    doubled = word.replace('"', '""')
    return f'"{doubled}"'
