"""A Zephyr shell on the console: prompt, echo, commands, and a log that makes room for itself.

Source: nrfcloud fact sheet, section 6.2; Zephyr documentation, "Shell". Every line feed that the shell prints
is preceded by a carriage return of its own, so the modem's CR LF arrives as CR CR LF.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from harness_nordic.virtual import shell_commands
from harness_nordic.virtual.shell_editor import PROMPT, LineEditor
from harness_nordic.virtual.shell_words import NotTerminated, TooManyWords, split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_nordic.virtual.agent_settings import AgentSettings
    from harness_nordic.virtual.shell_commands import ShellCommand

#: Bytes that wait while the shell is busy. [design]
INPUT_BUFFER = 8192

_GREEN, _RED, _YELLOW, _NORMAL, _LOG_NORMAL = "\x1b[1;32m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[m", "\x1b[0m"
_PROMPT = (_GREEN + PROMPT + _NORMAL).encode()
_LOG_LINE = re.compile(r"(\[[^\]]*\] )(<(\w+)> .*)")
_LEVELS = {"err": _RED, "wrn": _YELLOW}


def as_printed(text: str) -> bytes:
    """Return what leaves the board when the shell prints a text."""
    return text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")


class ZephyrShell:
    """Takes bytes and runs the commands that they make."""

    def __init__(self, send: Callable[[bytes], None], settings: AgentSettings) -> None:
        """Be a shell without commands; :attr:`commands` gives them, set by whoever builds the firmware.

        :param send: transmits.
        :param settings: how the firmware was built: size of the command buffer, width of the terminal.
        """
        self.commands: Callable[[], Sequence[ShellCommand]] = tuple
        self._send = send
        self._out = bytearray()
        self._editor = LineEditor(
            self._write,
            entered=self._run,
            capacity=lambda: settings.shell_size,
            width=lambda: settings.terminal_width,
        )
        self._waiting: deque[int] = deque()
        self._logged: list[str] = []
        self._held = False

    def boot(self) -> None:
        """Show the first prompt."""
        self._write("\n\n")
        self._show_prompt()
        self._flush()

    def receive(self, data: bytes) -> None:
        """Take bytes, in pieces of any size."""
        self._waiting.extend(data[: max(0, INPUT_BUFFER - len(self._waiting))] if self._held else data)
        self._work()

    def hold(self) -> None:
        """Be busy with a command until :meth:`release`."""
        self._held = True

    def release(self) -> None:
        """Go on: log what came meanwhile, and look at what was typed."""
        self._held = False
        self._log_what_waits()
        self._work()

    def clear(self) -> None:
        """Lose power: everything that was typed or is to be printed is gone."""
        self._held = False
        self._waiting.clear()
        self._logged.clear()
        self._out.clear()
        self._editor.forget()

    def log(self, line: str) -> None:
        """Print a line of the log, or of something else that nobody typed a command for.

        A command that is running is let end first.
        """
        self._logged.append(line)
        if not self._held:
            self._log_what_waits()

    def print(self, text: str) -> None:
        """Print a line."""
        self._write(text + "\n")

    def error(self, text: str) -> None:
        """Print a line in the colour of errors."""
        self._write(f"{_RED}{text}\n{_NORMAL}")

    @property
    def prompt(self) -> bytes:
        """What a command sends behind its output that shows the prompt itself."""
        return _PROMPT

    def flush(self) -> None:
        """Send what was printed so far."""
        self._flush()

    def _work(self) -> None:
        while self._waiting and not self._held:
            self._editor.take(self._waiting.popleft())
        self._flush()

    def _run(self, line: str) -> None:
        try:
            words = split(line)
        except NotTerminated as error:
            self.error(f"not terminated: {error.quote}")
        except TooManyWords:
            self.error("Too many arguments in the command.\n")
        else:
            if words and shell_commands.run(self.commands(), words, self):
                return
        self._show_prompt()

    def _show_prompt(self) -> None:
        self._out += _PROMPT

    def _log_what_waits(self) -> None:
        if not self._logged:
            return
        lines, self._logged = self._logged, []
        self._editor.erase()
        for line in lines:
            self._write(_coloured(line) + "\n")
        self._show_prompt()
        self._editor.show()
        self._flush()

    def _write(self, text: str) -> None:
        self._out += as_printed(text)

    def _flush(self) -> None:
        if self._out:
            data = bytes(self._out)
            self._out.clear()
            self._send(data)


def _coloured(line: str) -> str:
    """Return a line of the log in the colours of its level."""
    match = _LOG_LINE.fullmatch(line)
    if match is None:
        return line
    return f"{match[1]}{_LEVELS.get(match[3], _LOG_NORMAL)}{match[2]}{_LOG_NORMAL}"
