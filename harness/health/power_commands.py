"""A board's power switched by commands that its rig file names: uhubctl, ykushcmd, a script of one's own.

::

    [board.control.power]
    off = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "off"]
    on = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "on"]

or ``cycle`` alone, for a tool that does both; it is used for a power cycle also where the others are there.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.inventory.board import Board

SECONDS = 20.0
_COMMANDS = ("on", "off", "cycle")
_KEYS = (*_COMMANDS, "seconds")
_SHOWN = 200


class PowerByCommand:
    """Switches a board's power; fulfils :class:`harness.control.PowerSwitch`.

    Where there is a command for it, it has a method ``cycle`` too, which takes the power away and gives it
    back.
    """

    def __init__(self, board: str, commands: Mapping[str, list[str]], seconds: float) -> None:
        """Know the commands; nothing is run yet.

        :param board: the board's name, for messages.
        :param commands: programs with their arguments, by ``on``, ``off`` and ``cycle``.
        :param seconds: how long each may take.
        """
        self._board = board
        self._commands = commands
        self._seconds = seconds
        if "cycle" in commands:
            self.cycle = lambda: self._run("cycle")

    def set_power(self, *, on: bool) -> None:
        """Switch.

        :raises RigFault: there is no command for it, or it failed.
        """
        self._run("on" if on else "off")

    def _run(self, what: str) -> None:
        command = self._commands.get(what)
        if command is None:
            raise RigFault(f"board {self._board}: the rig file has no command to switch it {what!r}")
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._seconds,
                check=False,
                text=True,
                errors="replace",
            )
        except subprocess.TimeoutExpired as error:
            raise RigFault(
                f"board {self._board}: {command[0]} did not end within {self._seconds:g} s"
                f" (control.power.{what})"
            ) from error
        except (OSError, ValueError) as error:
            raise RigFault(
                f"board {self._board}: {command[0]} cannot be run: {error} (control.power.{what})"
            ) from error
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[-_SHOWN:]
            raise RigFault(
                f"board {self._board}: {command[0]} ended with {done.returncode}"
                f"{': ' if said else ''}{said} (control.power.{what})"
            )


def power_by_command(board: Board) -> PowerByCommand:
    """Make the switch that a board's rig file describes.

    :param board: the board; its ``control`` has a table ``power``.
    :raises UsageError: the table does not fit.
    """
    table = board.control["power"]
    for key in table:
        if key not in _KEYS:
            raise _misfit(board, key, table[key], f"one of {', '.join(_KEYS)}", "unknown key")
    commands = {key: _command(board, key, table[key]) for key in _COMMANDS if key in table}
    for one, other in (("on", "off"), ("off", "on")):
        if one in commands and other not in commands:
            raise _misfit(board, other, None, f"a command beside {one!r}", "missing key")
    if not commands:
        raise _misfit(board, "cycle", None, "this key, or 'on' and 'off'", "missing key")
    seconds = table.get("seconds", SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise _misfit(board, "seconds", seconds, "a number of seconds above 0")
    return PowerByCommand(board.id, commands, float(seconds))


def _command(board: Board, key: str, value: Any) -> list[str]:
    fits = isinstance(value, list) and value and all(isinstance(word, str) for word in value)
    if not fits or not value[0]:
        raise _misfit(board, key, value, "a list of texts: a program and its arguments")
    return list(value)


def _misfit(
    board: Board, key: str, value: object, expected: str, message: str = "does not fit"
) -> UsageError:
    return UsageError(message, key=f"board {board.id}: control.power.{key}", value=value, expected=expected)
