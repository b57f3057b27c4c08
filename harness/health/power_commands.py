"""A board's power switched by commands that its rig file names: uhubctl, ykushcmd, a script of one's own.

::

    [board.control.power_by_command]
    off = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "off"]
    on = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "on"]

or ``cycle`` alone, for a tool that does both; it is used for a power cycle also where the others are there.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.inventory.board import Board

#: The table's name in a board's ``control``.
TABLE = "power_by_command"
SECONDS = 20.0
_MOST_SECONDS = 3600
_DARK_SECONDS = 10.0
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
            self.cycle: Callable[[], None] = lambda: self._run("cycle")

    @property
    def cycle_seconds(self) -> float:
        """How long a power cycle may take, with the time in which the board has no power."""
        return 2 * self._seconds + _DARK_SECONDS

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
                f" (control.{TABLE}.{what})"
            ) from error
        except (OSError, ValueError) as error:
            raise RigFault(
                f"board {self._board}: {command[0]} cannot be run: {error} (control.{TABLE}.{what})"
            ) from error
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[-_SHOWN:]
            raise RigFault(
                f"board {self._board}: {command[0]} ended with {done.returncode}"
                f"{': ' if said else ''}{said} (control.{TABLE}.{what})"
            )


def power_by_command(board: Board) -> PowerByCommand:
    """Make the switch that a board's rig file describes.

    :param board: the board; its ``control`` has the table :data:`TABLE`.
    :raises UsageError: the table does not fit.
    """
    where = f"board {board.id}: control.{TABLE}"
    return PowerByCommand(board.id, *read_commands(board.control[TABLE], where))


def read_commands(
    table: Mapping[str, Any], where: str, file: Path | None = None
) -> tuple[dict[str, list[str]], float]:
    """Read the table of a rig file.

    :param table: the table.
    :param where: what its key is called in messages.
    :param file: the rig file, for messages.
    :return: the commands, and how many seconds each may take.
    :raises UsageError: it does not fit.
    """

    def misfit(key: str, value: object, expected: str, message: str = "does not fit") -> UsageError:
        return UsageError(message, file=file, key=f"{where}.{key}", value=value, expected=expected)

    for key in table:
        if key not in _KEYS:
            raise misfit(key, table[key], f"one of {', '.join(_KEYS)}", "unknown key")
    commands = {key: table[key] for key in _COMMANDS if key in table}
    for key, value in commands.items():
        if not (isinstance(value, list) and value and all(isinstance(word, str) for word in value)) or (
            not value[0]
        ):
            raise misfit(key, value, "a list of texts: a program and its arguments")
    for one, other in (("on", "off"), ("off", "on")):
        if one in commands and other not in commands:
            raise misfit(other, None, f"a command beside {one!r}", "missing key")
    if not commands:
        raise misfit("cycle", None, "this key, or 'on' and 'off'", "missing key")
    seconds = table.get("seconds", SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < _MOST_SECONDS:
        raise misfit("seconds", seconds, f"a number of seconds above 0 and below {_MOST_SECONDS}")
    return commands, float(seconds)
